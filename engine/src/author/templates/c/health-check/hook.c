// Whether one instance is healthy: asked again and again, until it is or the time is up.

#include <string.h>

#include "cutover.h"

typedef exports_health_check_list_setting_fault_t faults_t;
typedef exports_health_check_health_t health_t;

// The path that the settings name, `/` where they name none. Their faults go into `faults`.
static contract_string_t path_of(contract_string_t settings, faults_t *faults) {
  contract_string_t path = text("/"), key;
  json_t members = json_inside(json_of(settings)), value;
  while (json_member(&members, &key, &value)) {
    if (!text_is(key, "path")) {
      add_fault(&faults->ptr, &faults->len, key, text("there is no such key: `path` is accepted"));
      continue;
    }
    path = json_shown(value);
    if (!text_begins(path, "/")) {
      add_fault(&faults->ptr, &faults->len, key, text("`%.*s` does not begin with `/`", SHOWN(path)));
    }
  }
  return path;
}

// The release that the instance says it runs, where the configuration names a header for it.
static contract_option_string_t release_of(const hook_types_call_t *call, const http_client_response_t *answer) {
  contract_option_string_t marker = value_of(call->facts.ptr, call->facts.len, "marker-header");
  if (!marker.is_some) {
    return marker;
  }
  contract_string_t name = text_lower(marker.val);
  return value_of(answer->headers.ptr, answer->headers.len, (const char *)name.ptr);
}

@GET@

// Faults of the settings table in cutover.toml, asked before anything runs.
void exports_health_check_validate(contract_string_t *settings, faults_t *faults) {
  *faults = (faults_t){0};
  path_of(*settings, faults);
}

bool exports_health_check_check(hook_types_call_t *call, hook_types_instance_t *instance, health_t *health,
                                hook_types_hook_error_t *error) {
  faults_t faults = {0};
  http_client_response_t answer;
  http_client_http_error_t why;
  if (!get(instance, path_of(call->settings, &faults), &answer, &why)) {
    if (why.tag == HTTP_CLIENT_HTTP_ERROR_DENIED) {
      return http_failed(error, &why);
    }
    health->tag = EXPORTS_HEALTH_CHECK_HEALTH_STARTING;
    health->val.starting = http_reason(&why);
  } else if (answer.status == 200) {
    health->tag = EXPORTS_HEALTH_CHECK_HEALTH_HEALTHY;
    health->val.healthy = release_of(call, &answer);
  } else if (answer.status == 503) {
    health->tag = EXPORTS_HEALTH_CHECK_HEALTH_STARTING;
    health->val.starting = text("answers 503");
  } else {
    health->tag = EXPORTS_HEALTH_CHECK_HEALTH_UNHEALTHY;
    health->val.unhealthy = text("answers %u", answer.status);
  }
  return true;
}
