/** What a wait's bound is multiplied by: on a machine that does much else, KANBOTS_SLOW=4. */
export const slow = Number(process.env.KANBOTS_SLOW ?? 1);

/** Waits for a condition with a bound, and says which one did not come. The condition's own value is returned; while it throws, it does not hold. */
export async function until(what, holds, { seconds = 20, detail = () => "" } = {}) {
  const end = Date.now() + seconds * 1000 * slow;
  for (;;) {
    let value, error;
    try {
      value = await holds();
    } catch (thrown) {
      error = thrown;
    }
    if (value) return value;
    if (Date.now() > end) {
      const more = await Promise.resolve().then(detail).catch(String);
      throw new Error(`After ${seconds * slow} s it is not so that ${what}. ${more}${error ? ` (${error.message.split("\n")[0]})` : ""}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
