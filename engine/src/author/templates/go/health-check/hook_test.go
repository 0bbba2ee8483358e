package hook

import (
	"testing"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/health_check"
	"local/@NAME@/contract/hook_types"
	"local/@NAME@/contract/http_client"
)

func TestHealthyWithTheReleaseThatItSays(t *testing.T) {
	marker := witTypes.Tuple2[string, string]{F0: "marker-header", F1: "X-Release"}
	header := witTypes.Tuple2[string, string]{F0: "x-release", F1: "r2"}
	call := hook_types.Call{Settings: `{"path":"/up"}`, Facts: []witTypes.Tuple2[string, string]{marker}}
	instance := hook_types.Instance{Host: "web1", Listen: "0.0.0.0", Port: 4002}

	ok := witTypes.Ok[http_client.Response, http_client.HttpError]
	fault := witTypes.Err[http_client.Response, http_client.HttpError]
	var answer witTypes.Result[http_client.Response, http_client.HttpError]
	var asked string
	send = func(request http_client.Request) witTypes.Result[http_client.Response, http_client.HttpError] {
		asked = request.Method + " " + request.Url + " via " + request.Via.Some()
		return answer
	}
	health := func() health_check.Health { return Check(call, instance).Ok() }

	answer = ok(http_client.Response{Status: 200, Headers: []witTypes.Tuple2[string, string]{header}})
	if found := health().Healthy().Some(); found != "r2" || asked != "GET http://127.0.0.1:4002/up via web1" {
		t.Fatal(found, asked)
	}
	answer = ok(http_client.Response{Status: 500})
	if found := health().Unhealthy(); found != "answers 500" {
		t.Fatal(found)
	}
	answer = fault(http_client.MakeHttpErrorConnect("refused"))
	if found := health().Starting(); found != "connect: refused" {
		t.Fatal(found)
	}
	answer = fault(http_client.MakeHttpErrorDenied("not granted"))
	if found := Check(call, instance).Err().Denied(); found != "not granted" {
		t.Fatal(found)
	}
	send = nil
	if found := Check(call, instance).Err().Tag(); found != hook_types.HookError_Failed {
		t.Fatal(found)
	}
	if faults := Validate(`{"path":"up","deep":{}}`); len(faults) != 2 || faults[1].Reason != "`up` does not begin with `/`" {
		t.Fatal(faults)
	}
}
