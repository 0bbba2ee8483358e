// Starts from the instance's own host, where it may listen on loopback alone.
static bool get(const hook_types_instance_t *instance, contract_string_t path, http_client_response_t *answer,
                http_client_http_error_t *why) {
  contract_string_t local = instance->listen;
  if (text_is(local, "0.0.0.0")) {
    local = text("127.0.0.1");
  } else if (text_is(local, "::")) {
    local = text("::1");
  }
  bool is_v6 = memchr(local.ptr, ':', local.len) != NULL;
  contract_string_t address = is_v6 ? text("[%.*s]", SHOWN(local)) : local;
  http_client_request_t request = {
      .method = text("GET"),
      .url = text("http://%.*s:%u%.*s", SHOWN(address), instance->port, SHOWN(path)),
      .via = some_text(instance->host),
      .timeout_ms = {.is_some = true, .val = 5000},
  };
  return http_client_send(&request, answer, why);
}
