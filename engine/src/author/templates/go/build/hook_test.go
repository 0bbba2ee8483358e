package hook

import (
	"strings"
	"testing"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/build"
	"local/@NAME@/contract/hook_types"
	"local/@NAME@/contract/hosts"
)

func TestTheCheckoutIsTheArtifact(t *testing.T) {
	call, source := hook_types.Call{Settings: "{}"}, build.Source{Checkout: "/src", Output: "/out"}

	status := int32(0)
	var ran string
	exec = func(host string, command hosts.Command) witTypes.Result[hosts.Output, hosts.HostError] {
		ran = host + " " + command.Program + " " + strings.Join(command.Args, " ")
		return witTypes.Ok[hosts.Output, hosts.HostError](hosts.Output{Status: status, Errors: "disk full"})
	}
	if artifact := Run(call, source).Ok(); artifact.Path != "" || ran != "builder /bin/cp -R /src/. /out" {
		t.Fatal(artifact, ran)
	}
	status = 1
	if found := Run(call, source).Err().Failed(); found != "`/bin/cp` ended with status 1\ndisk full" {
		t.Fatal(found)
	}
	exec = func(string, hosts.Command) witTypes.Result[hosts.Output, hosts.HostError] {
		return witTypes.Err[hosts.Output](hosts.MakeHostErrorUnreachable("no route"))
	}
	if found := Run(call, source).Err().Temporary(); found != "unreachable: no route" {
		t.Fatal(found)
	}
	if faults := Validate(`{"path":"up"}`); len(faults) != 1 || faults[0].Key != "path" {
		t.Fatal(faults)
	}
}
