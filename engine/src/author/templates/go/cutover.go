package hook

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/hook_types"
	"local/@NAME@/contract/hosts"
	"local/@NAME@/contract/http_client"
)

// failure is an answer of the contract as an error of Go.
type failure struct{ answer hook_types.HookError }

func (f failure) Error() string {
	switch f.answer.Tag() {
	case hook_types.HookError_Denied:
		return f.answer.Denied()
	case hook_types.HookError_Temporary:
		return f.answer.Temporary()
	case hook_types.HookError_Failed:
		return f.answer.Failed()
	default:
		return f.answer.Other().F1
	}
}

// temporary may work when asked again: the engine asks again while there is time. All other errors of Go are `failed`.
func temporary(format string, values ...any) error {
	return failure{hook_types.MakeHookErrorTemporary(fmt.Sprintf(format, values...))}
}

func denied(text string) error {
	return failure{hook_types.MakeHookErrorDenied(text)}
}

// answering asks a function of the hook. What it panics with is `failed`, too; where, goes to standard error.
func answering[T any](ask func() (T, error)) (answer witTypes.Result[T, hook_types.HookError]) {
	defer func() {
		if reason := recover(); reason != nil {
			os.Stderr.Write(debug.Stack())
			answer = witTypes.Err[T](hook_types.MakeHookErrorFailed(fmt.Sprint(reason)))
		}
	}()
	value, err := ask()
	if err == nil {
		return witTypes.Ok[T, hook_types.HookError](value)
	}
	var told failure
	if errors.As(err, &told) {
		return witTypes.Err[T](told.answer)
	}
	return witTypes.Err[T](hook_types.MakeHookErrorFailed(err.Error()))
}

// got is what an import has answered, or its error as one of Go.
func got[T, E any](answer witTypes.Result[T, E], told func(E) error) (value T, err error) {
	if answer.IsErr() {
		return value, told(answer.Err())
	}
	return answer.Ok(), nil
}

func hostError(why hosts.HostError) error {
	switch why.Tag() {
	case hosts.HostError_Denied:
		return denied(why.Denied())
	case hosts.HostError_NotFound:
		return fmt.Errorf("not found: %s", why.NotFound())
	case hosts.HostError_Unreachable:
		return temporary("unreachable: %s", why.Unreachable())
	case hosts.HostError_Broken:
		return temporary("broken: %s", why.Broken())
	case hosts.HostError_TimedOut:
		return temporary("timed out: %s", why.TimedOut())
	case hosts.HostError_Failed:
		return errors.New(why.Failed())
	default:
		return fmt.Errorf("%s: %s", why.Other().F0, why.Other().F1)
	}
}

func httpError(why http_client.HttpError) error {
	switch why.Tag() {
	case http_client.HttpError_Denied:
		return denied(why.Denied())
	case http_client.HttpError_TimedOut:
		return temporary("timed out: %s", why.TimedOut())
	case http_client.HttpError_Connect:
		return temporary("connect: %s", why.Connect())
	case http_client.HttpError_Tls:
		return fmt.Errorf("tls: %s", why.Tls())
	case http_client.HttpError_Broken:
		return temporary("broken: %s", why.Broken())
	default:
		return fmt.Errorf("%s: %s", why.Other().F0, why.Other().F1)
	}
}
