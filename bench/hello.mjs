// The baseline: the smallest JSON-RPC server in Node that answers initialize.
let input = Buffer.alloc(0);
process.stdin.on("data", (chunk) => {
  input = Buffer.concat([input, chunk]);
  const head = input.indexOf("\r\n\r\n");
  if (head < 0) return;
  const length = Number(/Content-Length: (\d+)/i.exec(input.subarray(0, head).toString())[1]);
  if (input.length < head + 4 + length) return;
  const { id } = JSON.parse(input.subarray(head + 4, head + 4 + length).toString());
  const answer = JSON.stringify({ jsonrpc: "2.0", id, result: { serverVersion: "0" } });
  process.stdout.write(`Content-Length: ${Buffer.byteLength(answer)}\r\n\r\n${answer}`);
});
