// A hook that does what its settings say, in C: of the kind that is defined where this is built. What it answers is the same in every language.

#include <stdio.h>
#include <stdlib.h>

#include "cutover.h"

typedef hook_types_call_t call_t;
typedef hook_types_hook_error_t hook_error_t;

static void find_faults(contract_string_t settings, hook_types_setting_fault_t **faults, size_t *count) {
  contract_string_t key;
  json_t members = json_inside(json_of(settings)), value;
  *faults = NULL;
  *count = 0;
  while (json_member(&members, &key, &value)) {
    if (text_is(key, "case")) {
      return;
    }
  }
  add_fault(faults, count, (contract_string_t){0}, text("missing field `case`"));
}

static bool get(contract_string_t url, http_client_response_t *answer, http_client_http_error_t *why) {
  http_client_request_t request = {.method = text("GET"), .url = url};
  return http_client_send(&request, answer, why);
}

static bool run(contract_string_t *said, hook_error_t *error) {
  contract_string_t host = text("web1"), argument = text("hello");
  hosts_command_t command = {.program = text("/bin/echo"), .args = {.ptr = &argument, .len = 1}};
  hosts_output_t output;
  hosts_host_error_t why;
  if (!hosts_exec(&host, &command, &output, &why)) {
    return host_failed(error, &why);
  }
  *said = text("%d %.*s", (int)output.status, SHOWN(text_trimmed(output.out)));
  return true;
}

static bool act(call_t *call, contract_string_t *said, hook_error_t *error) {
  contract_string_t wanted = {0}, url = {0}, key;
  json_t members = json_inside(json_of(call->settings)), value;
  while (json_member(&members, &key, &value)) {
    json_text(value, text_is(key, "case") ? &wanted : &url);
  }
  http_client_response_t answer;
  http_client_http_error_t why;
  if (text_is(wanted, "answers")) {
    *said = text("hello");
    return true;
  } else if (text_is(wanted, "denied")) {
    error->tag = HOOK_TYPES_HOOK_ERROR_DENIED;
    error->val.denied = text("not for me\nhint: ask for it");
    return false;
  } else if (text_is(wanted, "temporary")) {
    return temporary(error, text("later"));
  } else if (text_is(wanted, "failed")) {
    return failed(error, text("broken"));
  } else if (text_is(wanted, "other")) {
    error->tag = HOOK_TYPES_HOOK_ERROR_OTHER;
    error->val.other = (contract_tuple2_string_string_t){.f0 = text("E42"), .f1 = text("strange")};
    return false;
  } else if (text_is(wanted, "crash")) {
    fprintf(stderr, "nobody expects this\n");
    abort();
  } else if (text_is(wanted, "refused")) {
    return get(text("http://192.0.2.1/"), &answer, &why) || http_failed(error, &why);
  } else if (text_is(wanted, "http")) {
    if (!get(url, &answer, &why)) {
      return http_failed(error, &why);
    }
    *said = text("%u %.*s", answer.status, SHOWN(answer.text));
    return true;
  }
  return run(said, error);
}

#if defined(BUILD)

void exports_build_validate(contract_string_t *settings, exports_build_list_setting_fault_t *faults) {
  find_faults(*settings, &faults->ptr, &faults->len);
}

bool exports_build_run(call_t *call, exports_build_source_t *source, exports_build_artifact_t *artifact,
                       hook_error_t *error) {
  *artifact = (exports_build_artifact_t){.path = text("dist"), .version = {.is_some = true}};
  artifact->labels.len = 1;
  artifact->labels.ptr = list_of(1, sizeof *artifact->labels.ptr);
  artifact->labels.ptr[0] = (hook_types_label_t){.f0 = text("branch"), .f1 = source->branch};
  return act(call, &artifact->version.val, error);
}

#elif defined(HEALTH_CHECK)

void exports_health_check_validate(contract_string_t *settings, exports_health_check_list_setting_fault_t *faults) {
  find_faults(*settings, &faults->ptr, &faults->len);
}

bool exports_health_check_check(call_t *call, hook_types_instance_t *instance, exports_health_check_health_t *health,
                                hook_error_t *error) {
  (void)instance;
  health->tag = EXPORTS_HEALTH_CHECK_HEALTH_STARTING;
  return act(call, &health->val.starting, error);
}

#elif defined(SMOKE_TEST)

void exports_smoke_test_validate(contract_string_t *settings, exports_smoke_test_list_setting_fault_t *faults) {
  find_faults(*settings, &faults->ptr, &faults->len);
}

bool exports_smoke_test_run(call_t *call, exports_smoke_test_list_test_case_t *cases, hook_error_t *error) {
  cases->len = 3;
  cases->ptr = list_of(cases->len, sizeof *cases->ptr);
  for (size_t i = 0; i < cases->len; i++) {
    cases->ptr[i].duration_ms = 7;
  }
  cases->ptr[0].outcome.tag = EXPORTS_SMOKE_TEST_OUTCOME_PASSED;
  cases->ptr[1].name = text("%u", call->instances.ptr[0].port);
  cases->ptr[1].outcome.tag = EXPORTS_SMOKE_TEST_OUTCOME_FAILED;
  cases->ptr[1].outcome.val.failed = text("no");
  cases->ptr[2].name = call->app;
  cases->ptr[2].outcome.tag = EXPORTS_SMOKE_TEST_OUTCOME_SKIPPED;
  cases->ptr[2].outcome.val.skipped = text("not today");
  return act(call, &cases->ptr[0].name, error);
}

#elif defined(ROUTER)

bool exports_router_features(call_t *call, contract_list_string_t *features, hook_error_t *error) {
  (void)call, (void)error;
  features->len = 2;
  features->ptr = list_of(2, sizeof *features->ptr);
  features->ptr[0] = text("weights");
  features->ptr[1] = text("hosts");
  return true;
}

void exports_router_validate(contract_string_t *settings, exports_router_list_setting_fault_t *faults) {
  find_faults(*settings, &faults->ptr, &faults->len);
}

bool exports_router_observe(call_t *call, contract_string_t *router, exports_router_observation_t *seen,
                            hook_error_t *error) {
  (void)call, (void)error;
  *seen = (exports_router_observation_t){.routing = {.is_some = true, .val = {.blue = 25, .green = 75}}, .settled = true};
  seen->routing.val.out.len = 1;
  seen->routing.val.out.ptr = list_of(1, sizeof *seen->routing.val.out.ptr);
  seen->routing.val.out.ptr[0] = text("web1");
  seen->labels.len = 1;
  seen->labels.ptr = list_of(1, sizeof *seen->labels.ptr);
  seen->labels.ptr[0] = (hook_types_label_t){.f0 = text("router"), .f1 = *router};
  return true;
}

bool exports_router_prepare(call_t *call, contract_string_t *router, exports_router_routing_t *want,
                            contract_string_t *change, hook_error_t *error) {
  (void)router, (void)want;
  return act(call, change, error);
}

bool exports_router_apply(call_t *call, contract_string_t *router, exports_router_routing_t *want,
                          hook_error_t *error) {
  (void)call, (void)router;
  return want->green == 100 || failed(error, text("green %u", (unsigned)want->green));
}

bool exports_router_discard(call_t *call, contract_string_t *router, hook_error_t *error) {
  (void)call, (void)router, (void)error;
  return true;
}

bool exports_router_connections(call_t *call, contract_string_t *router, hook_types_color_t color,
                                contract_option_u32_t *connections, hook_error_t *error) {
  (void)call, (void)router, (void)error;
  *connections = (contract_option_u32_t){.is_some = color == HOOK_TYPES_COLOR_BLUE, .val = 3};
  return true;
}

#endif
