package hook

import (
	"strings"
	"testing"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/varnish/contract/hook_types"
	"local/varnish/contract/hosts"
	"local/varnish/contract/router"
)

// fake is a Varnish that has loaded three VCLs, and a file.
type fake struct {
	live, file string
	asked      []string
	down       bool
}

func install(v *fake) {
	ok := witTypes.Ok[hosts.Output, hosts.HostError]
	exec = func(host string, command hosts.Command) witTypes.Result[hosts.Output, hosts.HostError] {
		v.asked = append(v.asked, host+" "+command.Program+" "+strings.Join(command.Args, " "))
		if v.down {
			return ok(hosts.Output{Status: 2, Errors: "Could not get hold of varnishd, is it running?\n"})
		}
		words := command.Args[2:]
		if words[0] == "ban" {
			return ok(hosts.Output{})
		}
		if words[0] == "vcl.label" {
			v.live = words[2]
			return ok(hosts.Output{})
		}
		list := "active      auto    warm         0    main\n" +
			"available   auto    warm         0    shop_blue\n" +
			"available   auto    warm         0    shop_green\n" +
			"available   auto    warm         0    shop_none\n"
		if v.live != "" {
			list += "available  label    warm         0    shop -> " + v.live + " (1 return(vcl))\n"
		}
		return ok(hosts.Output{Out: list})
	}
	readText = func(_, path string) witTypes.Result[string, hosts.HostError] {
		if path != "/srv/vcl/shop.cli" || v.file == "" {
			return witTypes.Err[string](hosts.MakeHostErrorNotFound(path))
		}
		return witTypes.Ok[string, hosts.HostError](v.file)
	}
	writeText = func(_, _, content string, _ witTypes.Option[uint32]) witTypes.Result[witTypes.Unit, hosts.HostError] {
		v.file = content
		return witTypes.Ok[witTypes.Unit, hosts.HostError](witTypes.Unit{})
	}
}

var call = hook_types.Call{App: "shop", Settings: `{"directory":"/srv/vcl","instance":"/run/varnish"}`}

func TestWhatIsAppliedIsObserved(t *testing.T) {
	v := &fake{}
	install(v)
	if seen := Observe(call, "lb1").Ok(); seen.Routing.IsSome() || !seen.Settled {
		t.Fatal("it knows an application before there is a label")
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
	if v.file != "vcl.label shop shop_blue\n" || v.asked[0] != "lb1 /usr/bin/varnishadm -n /run/varnish vcl.list" {
		t.Fatal(v.file, v.asked)
	}
	change := Prepare(call, "lb1", router.Routing{Green: 100}).Ok()
	if change != "-vcl.label shop shop_blue\n+vcl.label shop shop_green\n" {
		t.Fatal(change)
	}
	if change := Prepare(call, "lb1", router.Routing{Blue: 100}).Ok(); change != "" {
		t.Fatal(change)
	}
	v.file = "vcl.label shop shop_green\n"
	if Observe(call, "lb1").Ok().Settled {
		t.Fatal("a restart would go to green")
	}
}

func TestWhatStandsInTheWayIsTold(t *testing.T) {
	v := &fake{live: "shop_blue", file: "vcl.label shop shop_blue\n"}
	install(v)
	if found := Apply(call, "lb1", router.Routing{Blue: 50, Green: 50}).Err().Failed(); found != "Varnish can't share requests between labels" {
		t.Fatal(found)
	}
	other := call
	other.App = "blog"
	found := Prepare(other, "lb1", router.Routing{Blue: 100}).Err().Failed()
	if found != "Varnish on `lb1` has not loaded `blog_blue`\nhint: cutover setup" {
		t.Fatal(found)
	}
	v.live = "old"
	if found := Observe(call, "lb1").Err().Failed(); found != "the label `shop` points to what is not this hook's: `old`" {
		t.Fatal(found)
	}
	v.down = true
	found = Observe(call, "lb1").Err().Temporary()
	if found != "`varnishadm vcl.list` ended with status 2: Could not get hold of varnishd, is it running?" {
		t.Fatal(found)
	}
	faults := Validate(`{"directory":"vcl","instance":7,"more":""}`)
	if len(faults) != 3 || faults[0].Reason != "`vcl` is no absolute path" {
		t.Fatal(faults)
	}
}

func TestSetUpAsksNobody(t *testing.T) {
	exec, readText, writeText = nil, nil, nil
	once := call
	once.Facts = []witTypes.Tuple2[string, string]{{F0: "setup", F1: "deploy"}}
	once.Instances = []hook_types.Instance{
		{Host: "web-1", Color: hook_types.Color_Blue, Address: "10.0.0.11", Port: 4001},
		{Host: "web-1", Color: hook_types.Color_Green, Address: "10.0.0.11", Port: 4002},
	}
	script := Prepare(once, "lb1", router.Routing{}).Ok()
	for _, part := range []string{
		"install -d -o deploy /srv/vcl\n",
		"cat > /srv/vcl/shop_green.vcl <<'CUTOVER'\nvcl 4.1;\nimport directors;\n" +
			"backend web_1 { .host = \"10.0.0.11\"; .port = \"4002\"; }\n",
		"#     vcl.load shop_none /srv/vcl/shop_none.vcl\n",
	} {
		if !strings.Contains(script, part) {
			t.Fatal(part, script)
		}
	}
}
