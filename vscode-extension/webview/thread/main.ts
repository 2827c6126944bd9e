console.log("thread");
