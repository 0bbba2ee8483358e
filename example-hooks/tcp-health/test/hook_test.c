// Runs on this machine: what the hook imports is done by functions of the test.

#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "../cutover.h"

static const char *answer;
static hosts_host_error_t fault;
static contract_string_t asked;

bool hosts_exchange(contract_string_t *host, contract_string_t *socket, contract_string_t *content, uint32_t *timeout,
                    contract_string_t *ret, hosts_host_error_t *err) {
  asked = text("%.*s %.*s %.*s %u", SHOWN(*host), SHOWN(*socket), SHOWN(*content), *timeout);
  *ret = text("%s", answer == NULL ? "" : answer);
  *err = fault;
  return answer != NULL;
}

int main(void) {
  contract_string_t settings = text("{\"send\":\"PING\\r\\n\",\"expect\":\"+PONG\",\"starting\":\"-LOADING\"}");
  hook_types_call_t call = {.settings = settings};
  hook_types_instance_t instance = {.host = text("web1"), .listen = text("0.0.0.0"), .port = 4002};
  exports_health_check_health_t health;
  hook_types_hook_error_t error;

  answer = "+PONG\r\n";
  assert(exports_health_check_check(&call, &instance, &health, &error));
  assert(health.tag == EXPORTS_HEALTH_CHECK_HEALTH_HEALTHY && !health.val.healthy.is_some);
  assert(text_is(asked, "web1 tcp:127.0.0.1:4002 PING\r\n 5000"));

  answer = "-LOADING the dataset\r\n";
  assert(exports_health_check_check(&call, &instance, &health, &error));
  assert(health.tag == EXPORTS_HEALTH_CHECK_HEALTH_STARTING);
  assert(text_is(health.val.starting, "answers `-LOADING the dataset`"));

  answer = "-ERR max number of clients\r\nmore";
  assert(exports_health_check_check(&call, &instance, &health, &error));
  assert(health.tag == EXPORTS_HEALTH_CHECK_HEALTH_UNHEALTHY);
  assert(text_is(health.val.unhealthy, "answers `-ERR max number of clients`"));

  answer = NULL;
  fault = (hosts_host_error_t){.tag = HOSTS_HOST_ERROR_NOT_FOUND, .val.not_found = text("nobody listens")};
  assert(exports_health_check_check(&call, &instance, &health, &error));
  assert(health.tag == EXPORTS_HEALTH_CHECK_HEALTH_STARTING);
  assert(text_is(health.val.starting, "not found: nobody listens"));

  fault = (hosts_host_error_t){.tag = HOSTS_HOST_ERROR_DENIED, .val.denied = text("not granted")};
  assert(!exports_health_check_check(&call, &instance, &health, &error));
  assert(error.tag == HOOK_TYPES_HOOK_ERROR_DENIED && text_is(error.val.denied, "not granted"));

  exports_health_check_list_setting_fault_t faults;
  exports_health_check_validate(&settings, &faults);
  assert(faults.len == 0);
  settings = text("{\"expect\":7,\"port\":1}");
  exports_health_check_validate(&settings, &faults);
  assert(faults.len == 2 && text_is(faults.ptr[0].key, "expect") && text_is(faults.ptr[0].reason, "is no text: 7"));
  settings = text("{}");
  exports_health_check_validate(&settings, &faults);
  assert(faults.len == 1 && text_is(faults.ptr[0].key, "expect"));

  puts("ok");
}
