/** Ctrl-C during a command that takes a while. */

/** As shells have it for what SIGINT ended. */
const interrupted = 130;

/** The result of the work, which ends early with the signal when the user presses Ctrl-C. A second one ends the process at once. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | typeof interrupted> {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  process.once('SIGINT', interrupt);
  try {
    return await work(controller.signal);
  } catch (cause) {
    if (controller.signal.aborted) return interrupted;
    throw cause;
  } finally {
    process.off('SIGINT', interrupt);
  }
}
