package hook

import (
	"testing"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/hook_types"
	"local/@NAME@/contract/http_client"
	"local/@NAME@/contract/router"
)

func TestWhatIsAppliedIsObserved(t *testing.T) {
	call := hook_types.Call{Settings: `{"url":"http://127.0.0.1:9000/live"}`}

	// A balancer.
	status, live := uint16(200), "blue"
	send = func(request http_client.Request) witTypes.Result[http_client.Response, http_client.HttpError] {
		if request.Method == "PUT" {
			live = string(request.Body.Some())
		}
		return witTypes.Ok[http_client.Response, http_client.HttpError](http_client.Response{Status: status, Text: live + "\n"})
	}

	for _, want := range []router.Routing{{Green: 100}, {}, {Blue: 100}} {
		if applied := Apply(call, "lb1", want); applied.IsErr() {
			t.Fatal(applied.Err().Failed())
		}
		seen := Observe(call, "lb1").Ok()
		if routing := seen.Routing.Some(); routing.Blue != want.Blue || routing.Green != want.Green || !seen.Settled {
			t.Fatal(seen)
		}
	}
	if change := Prepare(call, "lb1", router.Routing{Green: 100}).Ok(); change != "-blue\n+green\n" {
		t.Fatal(change)
	}
	if found := Apply(call, "lb1", router.Routing{Blue: 50, Green: 50}).Err().Failed(); found != "the balancer can't share requests" {
		t.Fatal(found)
	}
	live = "purple"
	if found := Observe(call, "lb1").Err().Failed(); found != "the balancer names no colour: `purple`" {
		t.Fatal(found)
	}
	status = 503
	if found := Observe(call, "lb1").Err().Temporary(); found != "GET http://127.0.0.1:9000/live answered 503" {
		t.Fatal(found)
	}
	if faults := Validate(`{"url":"x","more":1}`); len(faults) != 2 || faults[1].Reason != "`x` is no URL: `http://…` or `https://…`" {
		t.Fatal(faults)
	}
}
