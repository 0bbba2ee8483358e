def get(instance, path):
    """Starts from the instance's own host, where it may listen on loopback alone."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(instance.listen, instance.listen)
    address = f"[{local}]" if ":" in local else local
    url = f"http://{address}:{instance.port}{path}"
    return http_client.send(http_client.Request("GET", url, instance.host, None, [], [], None, None, False, 5000))
