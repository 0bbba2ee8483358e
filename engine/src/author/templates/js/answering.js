const ERRORS = ["denied", "temporary", "failed", "other"];
const WORTH_ANOTHER_TRY = ["unreachable", "connect", "broken", "timed-out"];

// An error that is none of the contract would be a crash: it becomes `failed`, with its text.
function answering(ask) {
  return (...words) => {
    try {
      return ask(...words);
    } catch (error) {
      throw ERRORS.includes(error?.tag) ? error : failure(error);
    }
  };
}

function failure(error) {
  // What an import has thrown.
  const { tag, val } = error?.payload ?? {};
  if (tag === undefined) {
    return { tag: "failed", val: String(error) };
  }
  if (tag === "denied") {
    return { tag, val };
  }
  return { tag: WORTH_ANOTHER_TRY.includes(tag) ? "temporary" : "failed", val: `${tag}: ${val}` };
}
