// Tests the idle colour before it gets traffic.

#include <string.h>

#include "cutover.h"

typedef exports_smoke_test_list_setting_fault_t faults_t;
typedef exports_smoke_test_test_case_t case_t;

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

@GET@

// Faults of the settings table in cutover.toml, asked before anything runs.
void exports_smoke_test_validate(contract_string_t *settings, faults_t *faults) {
  *faults = (faults_t){0};
  path_of(*settings, faults);
}

bool exports_smoke_test_run(hook_types_call_t *call, exports_smoke_test_list_test_case_t *cases,
                            hook_types_hook_error_t *error) {
  faults_t faults = {0};
  contract_string_t path = path_of(call->settings, &faults);
  cases->len = call->instances.len;
  cases->ptr = list_of(cases->len, sizeof *cases->ptr);
  for (size_t i = 0; i < cases->len; i++) {
    const hook_types_instance_t *instance = &call->instances.ptr[i];
    case_t *tried = &cases->ptr[i];
    uint32_t begun = engine_elapsed_ms();
    http_client_response_t answer;
    http_client_http_error_t why;
    if (!get(instance, path, &answer, &why)) {
      return http_failed(error, &why);
    }
    tried->name = text("%.*s on %.*s", SHOWN(path), SHOWN(instance->host));
    tried->duration_ms = engine_elapsed_ms() - begun;
    if (answer.status == 200) {
      tried->outcome.tag = EXPORTS_SMOKE_TEST_OUTCOME_PASSED;
    } else {
      tried->outcome.tag = EXPORTS_SMOKE_TEST_OUTCOME_FAILED;
      tried->outcome.val.failed = text("answers %u", answer.status);
    }
  }
  return true;
}
