// Runs on this machine: what the hook imports is done by functions of the test.

#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "../cutover.h"

static uint16_t status;
static contract_string_t asked;

bool http_client_send(http_client_request_t *request, http_client_response_t *ret, http_client_http_error_t *err) {
  asked = text("%.*s %.*s via %.*s", SHOWN(request->method), SHOWN(request->url), SHOWN(request->via.val));
  *ret = (http_client_response_t){.status = status};
  *err = (http_client_http_error_t){.tag = HTTP_CLIENT_HTTP_ERROR_CONNECT, .val.connect = text("refused")};
  return status != 0;
}

uint32_t engine_elapsed_ms(void) {
  static uint32_t now;
  return now += 7;
}

int main(void) {
  hook_types_instance_t instance = {.host = text("web1"), .listen = text("::"), .port = 4002};
  hook_types_call_t call = {.settings = text("{\"path\":\"/up\"}"), .instances = {&instance, 1}};
  exports_smoke_test_list_test_case_t cases;
  hook_types_hook_error_t error;

  status = 200;
  assert(exports_smoke_test_run(&call, &cases, &error));
  assert(cases.len == 1 && text_is(cases.ptr[0].name, "/up on web1") && cases.ptr[0].duration_ms == 7);
  assert(cases.ptr[0].outcome.tag == EXPORTS_SMOKE_TEST_OUTCOME_PASSED);
  assert(text_is(asked, "GET http://[::1]:4002/up via web1"));

  status = 500;
  assert(exports_smoke_test_run(&call, &cases, &error));
  assert(cases.ptr[0].outcome.tag == EXPORTS_SMOKE_TEST_OUTCOME_FAILED);
  assert(text_is(cases.ptr[0].outcome.val.failed, "answers 500"));

  status = 0;
  assert(!exports_smoke_test_run(&call, &cases, &error));
  assert(error.tag == HOOK_TYPES_HOOK_ERROR_TEMPORARY && text_is(error.val.temporary, "connect: refused"));

  exports_smoke_test_list_setting_fault_t faults;
  contract_string_t settings = text("{\"path\": \"up\", \"deep\": {\"a\": [1, \"}\"]}}");
  exports_smoke_test_validate(&settings, &faults);
  assert(faults.len == 2 && text_is(faults.ptr[0].key, "path") && text_is(faults.ptr[1].key, "deep"));

  puts("ok");
}
