// Runs on this machine: what the hook imports is done by functions of the test.

#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "../cutover.h"

static http_client_response_t answer;
static http_client_http_error_t fault;
static contract_string_t asked;

bool http_client_send(http_client_request_t *request, http_client_response_t *ret, http_client_http_error_t *err) {
  asked = text("%.*s %.*s via %.*s", SHOWN(request->method), SHOWN(request->url), SHOWN(request->via.val));
  *ret = answer;
  *err = fault;
  return answer.status != 0;
}

int main(void) {
  hook_types_label_t marker = {text("marker-header"), text("X-Release")}, header = {text("x-release"), text("r2")};
  hook_types_call_t call = {.settings = text("{\"path\":\"/up\"}"), .facts = {&marker, 1}};
  hook_types_instance_t instance = {.host = text("web1"), .listen = text("0.0.0.0"), .port = 4002};
  exports_health_check_health_t health;
  hook_types_hook_error_t error;

  answer = (http_client_response_t){.status = 200, .headers = {&header, 1}};
  assert(exports_health_check_check(&call, &instance, &health, &error));
  assert(health.tag == EXPORTS_HEALTH_CHECK_HEALTH_HEALTHY && text_is(health.val.healthy.val, "r2"));
  assert(text_is(asked, "GET http://127.0.0.1:4002/up via web1"));

  answer.status = 500;
  assert(exports_health_check_check(&call, &instance, &health, &error));
  assert(health.tag == EXPORTS_HEALTH_CHECK_HEALTH_UNHEALTHY && text_is(health.val.unhealthy, "answers 500"));

  answer.status = 0;
  fault = (http_client_http_error_t){.tag = HTTP_CLIENT_HTTP_ERROR_CONNECT, .val.connect = text("refused")};
  assert(exports_health_check_check(&call, &instance, &health, &error));
  assert(health.tag == EXPORTS_HEALTH_CHECK_HEALTH_STARTING && text_is(health.val.starting, "connect: refused"));

  fault = (http_client_http_error_t){.tag = HTTP_CLIENT_HTTP_ERROR_DENIED, .val.denied = text("not granted")};
  assert(!exports_health_check_check(&call, &instance, &health, &error));
  assert(error.tag == HOOK_TYPES_HOOK_ERROR_DENIED && text_is(error.val.denied, "not granted"));

  exports_health_check_list_setting_fault_t faults;
  contract_string_t settings = text("{\"path\": \"up\", \"deep\": {\"a\": [1, \"}\"]}}");
  exports_health_check_validate(&settings, &faults);
  assert(faults.len == 2 && text_is(faults.ptr[0].key, "path") && text_is(faults.ptr[1].key, "deep"));
  assert(text_is(faults.ptr[0].reason, "`up` does not begin with `/`"));

  puts("ok");
}
