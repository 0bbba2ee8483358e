// get starts from the instance's own host, where it may listen on loopback alone.
func get(instance hook_types.Instance, path string) witTypes.Result[http_client.Response, http_client.HttpError] {
	local := instance.Listen
	switch local {
	case "0.0.0.0":
		local = "127.0.0.1"
	case "::":
		local = "::1"
	}
	if strings.Contains(local, ":") {
		local = "[" + local + "]"
	}
	return send(http_client.Request{
		Method:    "GET",
		Url:       fmt.Sprintf("http://%s:%d%s", local, instance.Port, path),
		Via:       witTypes.Some(instance.Host),
		TimeoutMs: witTypes.Some(uint32(5000)),
	})
}
