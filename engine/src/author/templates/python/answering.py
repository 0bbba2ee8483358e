ERRORS = (HookError_Denied, HookError_Temporary, HookError_Failed, HookError_Other)
WORTH_ANOTHER_TRY = ("Unreachable", "Connect", "Broken", "TimedOut")


def answering(ask):
    """An exception that is none of the contract would be a crash: it becomes `failed`, with its text."""

    @functools.wraps(ask)
    def answer(*words):
        try:
            return ask(*words)
        except Err as error:
            if isinstance(error.value, ERRORS):
                raise
            raise Err(failure(error.value)) from error
        except Exception as error:
            raise Err(HookError_Failed(f"{type(error).__name__}: {error}")) from error

    return answer


def failure(error):
    """What an import has raised: `HttpError_Connect("…")`."""
    tag = type(error).__name__.split("_")[-1]
    if tag == "Denied":
        return HookError_Denied(error.value)
    text = f"{tag}: {error.value}"
    return HookError_Temporary(text) if tag in WORTH_ANOTHER_TRY else HookError_Failed(text)
