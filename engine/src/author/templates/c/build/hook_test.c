// Runs on this machine: what the hook imports is done by functions of the test.

#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "../cutover.h"

static int32_t status;
static contract_string_t ran;

bool hosts_exec(contract_string_t *host, hosts_command_t *command, hosts_output_t *ret, hosts_host_error_t *err) {
  ran = text("%.*s %.*s", SHOWN(*host), SHOWN(command->program));
  for (size_t i = 0; i < command->args.len; i++) {
    ran = text("%.*s %.*s", SHOWN(ran), SHOWN(command->args.ptr[i]));
  }
  *ret = (hosts_output_t){.status = status, .errors = text("disk full")};
  *err = (hosts_host_error_t){.tag = HOSTS_HOST_ERROR_UNREACHABLE, .val.unreachable = text("no route")};
  return status >= 0;
}

int main(void) {
  hook_types_call_t call = {.settings = text("{}")};
  exports_build_source_t source = {.checkout = text("/src"), .output = text("/out")};
  exports_build_artifact_t artifact;
  hook_types_hook_error_t error;

  assert(exports_build_run(&call, &source, &artifact, &error));
  assert(artifact.path.len == 0 && !artifact.version.is_some && artifact.labels.len == 0);
  assert(text_is(ran, "builder /bin/cp -R /src/. /out"));

  status = 1;
  assert(!exports_build_run(&call, &source, &artifact, &error));
  assert(error.tag == HOOK_TYPES_HOOK_ERROR_FAILED);
  assert(text_is(error.val.failed, "`/bin/cp` ended with status 1\ndisk full"));

  status = -1;
  assert(!exports_build_run(&call, &source, &artifact, &error));
  assert(error.tag == HOOK_TYPES_HOOK_ERROR_TEMPORARY && text_is(error.val.temporary, "unreachable: no route"));

  exports_build_list_setting_fault_t faults;
  contract_string_t settings = text("{\"path\": \"up\"}");
  exports_build_validate(&settings, &faults);
  assert(faults.len == 1 && text_is(faults.ptr[0].key, "path"));

  puts("ok");
}
