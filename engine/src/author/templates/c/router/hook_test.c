// Runs on this machine: what the hook imports is done by functions of the test.

#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "../cutover.h"

// A balancer.
static uint16_t status = 200;
static contract_string_t live;

bool http_client_send(http_client_request_t *request, http_client_response_t *ret, http_client_http_error_t *err) {
  (void)err;
  if (text_is(request->method, "PUT")) {
    live = text("%.*s", SHOWN(request->body.val));
  }
  *ret = (http_client_response_t){.status = status, .text = text("%.*s\n", SHOWN(live))};
  return true;
}

int main(void) {
  hook_types_call_t call = {.settings = text("{\"url\":\"http://127.0.0.1:9000/live\"}")};
  contract_string_t router = text("lb1"), change;
  exports_router_observation_t seen;
  hook_types_hook_error_t error;

  live = text("blue");
  exports_router_routing_t wants[] = {{.green = 100}, {0}, {.blue = 100}, {.blue = 50, .green = 50}};
  for (size_t i = 0; i < 3; i++) {
    assert(exports_router_apply(&call, &router, &wants[i], &error));
    assert(exports_router_observe(&call, &router, &seen, &error) && seen.settled && seen.routing.is_some);
    assert(seen.routing.val.blue == wants[i].blue && seen.routing.val.green == wants[i].green);
  }
  assert(exports_router_prepare(&call, &router, &wants[0], &change, &error));
  assert(text_is(change, "-blue\n+green\n"));
  assert(!exports_router_apply(&call, &router, &wants[3], &error));
  assert(error.tag == HOOK_TYPES_HOOK_ERROR_FAILED);

  live = text("purple");
  assert(!exports_router_observe(&call, &router, &seen, &error));
  assert(text_is(error.val.failed, "the balancer names no colour: `purple`"));
  status = 503;
  assert(!exports_router_observe(&call, &router, &seen, &error));
  assert(error.tag == HOOK_TYPES_HOOK_ERROR_TEMPORARY);

  exports_router_list_setting_fault_t faults;
  contract_string_t settings = text("{\"url\": \"\\u0007\\\"x\\\"\", \"more\": [{}]}");
  exports_router_validate(&settings, &faults);
  assert(faults.len == 2 && text_is(faults.ptr[0].key, "more") && text_is(faults.ptr[1].key, "url"));
  assert(text_is(faults.ptr[1].reason, "`\a\"x\"` is no URL: `http://…` or `https://…`"));

  puts("ok");
}
