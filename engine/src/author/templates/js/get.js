// Starts from the instance's own host, where it may listen on loopback alone.
function get(instance, path) {
  const local = { "0.0.0.0": "127.0.0.1", "::": "::1" }[instance.listen] ?? instance.listen;
  const address = local.includes(":") ? `[${local}]` : local;
  return send({
    method: "GET",
    url: `http://${address}:${instance.port}${path}`,
    via: instance.host,
    connectTo: null,
    headers: [],
    secretHeaders: [],
    body: null,
    secretBody: null,
    binary: false,
    timeoutMs: 5000,
  });
}
