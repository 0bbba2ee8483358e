const ERRORS = ["denied", "temporary", "failed", "other"];
const WORTH_ANOTHER_TRY = ["unreachable", "connect", "broken", "timed-out"];

// What is thrown: `{ tag, val }` by the hook, an `Error` with that as its `payload` by an import, and whatever else.
interface Thrown {
  tag?: string;
  payload?: { tag: string; val: unknown };
}

// An error that is none of the contract would be a crash: it becomes `failed`, with its text.
function answering<Words extends unknown[], Answer>(ask: (...words: Words) => Answer): (...words: Words) => Answer {
  return (...words) => {
    try {
      return ask(...words);
    } catch (error) {
      throw ERRORS.includes((error as Thrown | null)?.tag ?? "") ? error : failure(error);
    }
  };
}

function failure(error: unknown): HookError {
  const payload = (error as Thrown | null)?.payload;
  if (payload === undefined) {
    return { tag: "failed", val: String(error) };
  }
  const { tag, val } = payload;
  if (tag === "denied") {
    return { tag, val: String(val) };
  }
  return { tag: WORTH_ANOTHER_TRY.includes(tag) ? "temporary" : "failed", val: `${tag}: ${val}` };
}
