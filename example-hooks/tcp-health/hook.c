// Whether one instance is healthy that speaks no HTTP: a line is sent to its port, and what comes back has to begin as it should.

#include "cutover.h"

typedef exports_health_check_list_setting_fault_t faults_t;
typedef exports_health_check_health_t health_t;

// What the settings say.
typedef struct settings_t {
  contract_string_t send;
  contract_string_t expect;
  contract_string_t starting;
} settings_t;

static settings_t settings_of(contract_string_t json, faults_t *faults) {
  settings_t settings = {0};
  contract_string_t key;
  json_t members = json_inside(json_of(json)), value;
  while (json_member(&members, &key, &value)) {
    contract_string_t *setting = text_is(key, "send")       ? &settings.send
                                 : text_is(key, "expect")   ? &settings.expect
                                 : text_is(key, "starting") ? &settings.starting
                                                            : NULL;
    if (setting == NULL) {
      contract_string_t reason = text("there is no such key: `send`, `expect`, `starting` are accepted");
      add_fault(&faults->ptr, &faults->len, key, reason);
    } else if (!json_text(value, setting)) {
      add_fault(&faults->ptr, &faults->len, key, text("is no text: %.*s", SHOWN(json_shown(value))));
    }
  }
  if (settings.expect.len == 0 && faults->len == 0) {
    add_fault(&faults->ptr, &faults->len, text("expect"), text("is missing: what an answer begins with"));
  }
  return settings;
}

// As seen from the instance's own host, where it may listen on loopback alone.
static contract_string_t socket_of(const hook_types_instance_t *instance) {
  contract_string_t local = instance->listen;
  if (text_is(local, "0.0.0.0")) {
    local = text("127.0.0.1");
  } else if (text_is(local, "::")) {
    local = text("[::1]");
  }
  return text("tcp:%.*s:%u", SHOWN(local), instance->port);
}

// The first line of an answer, which may be long.
static contract_string_t shown(contract_string_t answer) {
  size_t length = 0;
  while (length < answer.len && length < 80 && answer.ptr[length] != '\r' && answer.ptr[length] != '\n') {
    length++;
  }
  return (contract_string_t){.ptr = answer.ptr, .len = length};
}

static bool begins(contract_string_t answer, contract_string_t word) {
  return word.len > 0 && text_begins(answer, (const char *)word.ptr);
}

void exports_health_check_validate(contract_string_t *settings, faults_t *faults) {
  *faults = (faults_t){0};
  settings_of(*settings, faults);
}

bool exports_health_check_check(hook_types_call_t *call, hook_types_instance_t *instance, health_t *health,
                                hook_types_hook_error_t *error) {
  faults_t faults = {0};
  settings_t settings = settings_of(call->settings, &faults);
  contract_string_t socket = socket_of(instance), answer;
  hosts_host_error_t why;
  uint32_t timeout = 5000;
  if (!hosts_exchange(&instance->host, &socket, &settings.send, &timeout, &answer, &why)) {
    if (why.tag == HOSTS_HOST_ERROR_DENIED) {
      return host_failed(error, &why);
    }
    health->tag = EXPORTS_HEALTH_CHECK_HEALTH_STARTING;
    health->val.starting = host_reason(&why);
  } else if (begins(answer, settings.expect)) {
    health->tag = EXPORTS_HEALTH_CHECK_HEALTH_HEALTHY;
    health->val.healthy = (contract_option_string_t){0};
  } else if (begins(answer, settings.starting) || answer.len == 0) {
    health->tag = EXPORTS_HEALTH_CHECK_HEALTH_STARTING;
    health->val.starting = text("answers `%.*s`", SHOWN(shown(answer)));
  } else {
    health->tag = EXPORTS_HEALTH_CHECK_HEALTH_UNHEALTHY;
    health->val.unhealthy = text("answers `%.*s`", SHOWN(shown(answer)));
  }
  return true;
}
