/** The steps of one suite: each is a line with its time, and the first that fails ends the suite, with evidence of every open window. */
export class Steps {
  count = 0;
  constructor(name, benches) {
    this.name = name;
    this.benches = benches;
  }

  async step(words, action) {
    const began = Date.now();
    const seconds = () => `${((Date.now() - began) / 1000).toFixed(1)} s`;
    try {
      const value = await action();
      this.count++;
      console.log(`  ok   ${words} (${seconds()})`);
      return value;
    } catch (error) {
      console.log(`  FAIL ${words} (${seconds()})`);
      const windows = this.benches().flatMap((bench) => bench.windows);
      for (const [index, window] of windows.entries()) await window.evidence(`failed-${this.name}${index === 0 ? "" : `-${index}`}`).catch(() => {});
      throw error;
    }
  }
}
