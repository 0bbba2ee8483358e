// Starts from the instance's own host, where it may listen on loopback alone.
function get(instance: Instance, path: string): Response {
  const all: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  const local = all[instance.listen] ?? instance.listen;
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
