// Turns a checkout into an artifact, on the host that builds.

#include "cutover.h"

typedef exports_build_list_setting_fault_t faults_t;

// Runs a program that has to end with status 0. There is no shell.
static bool run(const char *program, contract_string_t *args, size_t count, hook_types_hook_error_t *error) {
  contract_string_t host = text("builder");
  hosts_command_t command = {.program = text("%s", program), .args = {.ptr = args, .len = count}};
  hosts_output_t output;
  hosts_host_error_t why;
  if (!hosts_exec(&host, &command, &output, &why)) {
    return host_failed(error, &why);
  }
  if (output.status != 0) {
    return failed(error, text("`%s` ended with status %d\n%.*s", program, (int)output.status, SHOWN(output.errors)));
  }
  return true;
}

// Faults of the settings table in cutover.toml, asked before anything runs.
void exports_build_validate(contract_string_t *settings, faults_t *faults) {
  *faults = (faults_t){0};
  contract_string_t key;
  json_t members = json_inside(json_of(*settings)), value;
  while (json_member(&members, &key, &value)) {
    add_fault(&faults->ptr, &faults->len, key, text("there are no settings"));
  }
}

bool exports_build_run(hook_types_call_t *call, exports_build_source_t *source, exports_build_artifact_t *artifact,
                       hook_types_hook_error_t *error) {
  (void)call;
  *artifact = (exports_build_artifact_t){0};
  contract_string_t args[] = {text("-R"), text("%.*s/.", SHOWN(source->checkout)), source->output};
  return run("/bin/cp", args, 3, error);
}
