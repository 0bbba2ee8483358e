package hook

import (
	"testing"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/hook_types"
	"local/@NAME@/contract/http_client"
)

func TestACaseForEachInstance(t *testing.T) {
	instance := hook_types.Instance{Host: "web1", Listen: "::", Port: 4002}
	call := hook_types.Call{Settings: `{"path":"/up"}`, Instances: []hook_types.Instance{instance}}

	now := uint32(0)
	elapsedMs = func() uint32 {
		now += 7
		return now
	}
	status := uint16(200)
	var asked string
	send = func(request http_client.Request) witTypes.Result[http_client.Response, http_client.HttpError] {
		asked = request.Method + " " + request.Url + " via " + request.Via.Some()
		return witTypes.Ok[http_client.Response, http_client.HttpError](http_client.Response{Status: status})
	}

	cases := Run(call).Ok()
	if len(cases) != 1 || cases[0].Name != "/up on web1" || cases[0].DurationMs != 7 {
		t.Fatal(cases)
	}
	if asked != "GET http://[::1]:4002/up via web1" {
		t.Fatal(asked)
	}
	status = 500
	if found := Run(call).Ok()[0].Outcome.Failed(); found != "answers 500" {
		t.Fatal(found)
	}
	send = func(http_client.Request) witTypes.Result[http_client.Response, http_client.HttpError] {
		return witTypes.Err[http_client.Response](http_client.MakeHttpErrorConnect("refused"))
	}
	if found := Run(call).Err().Temporary(); found != "connect: refused" {
		t.Fatal(found)
	}
	if faults := Validate(`{"path":"up","deep":{}}`); len(faults) != 2 || faults[1].Key != "path" {
		t.Fatal(faults)
	}
}
