// Moves traffic: a balancer that tells and takes its live colour at one URL.

#include <string.h>

#include "cutover.h"

typedef exports_router_list_setting_fault_t faults_t;
typedef exports_router_routing_t routing_t;

// What the balancer can be told: percent for each colour.
static const struct share {
  const char *word;
  uint32_t blue, green;
} SHARES[] = {{"blue", 100, 0}, {"green", 0, 100}, {"none", 0, 0}};
static const size_t COUNT = sizeof SHARES / sizeof *SHARES;

// The URL that the settings name. Their faults go into `faults`.
static contract_string_t url_of(contract_string_t settings, faults_t *faults) {
  contract_string_t url = {0}, key;
  json_t members = json_inside(json_of(settings)), value;
  while (json_member(&members, &key, &value)) {
    if (text_is(key, "url")) {
      url = json_shown(value);
    } else {
      add_fault(&faults->ptr, &faults->len, key, text("there is no such key: `url` is accepted"));
    }
  }
  if (!text_begins(url, "http://") && !text_begins(url, "https://")) {
    contract_string_t reason = text("`%.*s` is no URL: `http://…` or `https://…`", SHOWN(url));
    add_fault(&faults->ptr, &faults->len, text("url"), reason);
  }
  return url;
}

// What the balancer says is live, after it was told `word`, or only asked where that is null.
static bool ask(hook_types_call_t *call, contract_string_t *router, const char *word, const struct share **live,
                hook_types_hook_error_t *error) {
  faults_t faults = {0};
  http_client_request_t request = {
      .method = text(word == NULL ? "GET" : "PUT"),
      .url = url_of(call->settings, &faults),
      .via = some_text(*router),
      .timeout_ms = {.is_some = true, .val = 5000},
  };
  if (word != NULL) {
    contract_string_t body = text("%s", word);
    request.body = (contract_option_list_u8_t){.is_some = true, .val = {.ptr = body.ptr, .len = body.len}};
  }
  http_client_response_t answer;
  http_client_http_error_t why;
  if (!http_client_send(&request, &answer, &why)) {
    return http_failed(error, &why);
  }
  if (answer.status != 200) {
    contract_string_t reason =
        text("%.*s %.*s answered %u", SHOWN(request.method), SHOWN(request.url), answer.status);
    return answer.status >= 500 ? temporary(error, reason) : failed(error, reason);
  }
  contract_string_t said = text_trimmed(answer.text);
  for (size_t i = 0; i < COUNT; i++) {
    if (text_is(said, SHARES[i].word)) {
      *live = &SHARES[i];
      return true;
    }
  }
  return failed(error, text("the balancer names no colour: `%.*s`", SHOWN(said)));
}

// `features` names neither `weights` nor `hosts`, so nothing else is asked than what `SHARES` has.
static bool wanted(const routing_t *want, const struct share **share, hook_types_hook_error_t *error) {
  for (size_t i = 0; i < COUNT; i++) {
    if (SHARES[i].blue == want->blue && SHARES[i].green == want->green) {
      *share = &SHARES[i];
      return true;
    }
  }
  return failed(error, text("the balancer can't share requests"));
}

// Beyond all requests to one colour: none at all.
bool exports_router_features(hook_types_call_t *call, contract_list_string_t *features,
                             hook_types_hook_error_t *error) {
  (void)call, (void)error;
  features->len = 1;
  features->ptr = list_of(1, sizeof *features->ptr);
  features->ptr[0] = text("maintenance");
  return true;
}

// Faults of the settings table in cutover.toml, asked before anything runs.
void exports_router_validate(contract_string_t *settings, faults_t *faults) {
  *faults = (faults_t){0};
  url_of(*settings, faults);
}

// What the balancer does now. Nothing may be changed here: the engine refuses every method but GET and HEAD.
bool exports_router_observe(hook_types_call_t *call, contract_string_t *router,
                            exports_router_observation_t *observation, hook_types_hook_error_t *error) {
  const struct share *live;
  if (!ask(call, router, NULL, &live, error)) {
    return false;
  }
  *observation = (exports_router_observation_t){.settled = true};
  observation->routing.is_some = true;
  observation->routing.val = (routing_t){.blue = live->blue, .green = live->green};
  return true;
}

// What would change, for people.
bool exports_router_prepare(hook_types_call_t *call, contract_string_t *router, routing_t *want,
                            contract_string_t *change, hook_types_hook_error_t *error) {
  // The once-only set-up is asked for without a router to speak to.
  if (value_of(call->facts.ptr, call->facts.len, "setup").is_some) {
    *change = text("# nothing has to be installed: the balancer is told over HTTP\n");
    return true;
  }
  const struct share *now, *then;
  if (!ask(call, router, NULL, &now, error) || !wanted(want, &then, error)) {
    return false;
  }
  *change = now == then ? (contract_string_t){0} : text("-%s\n+%s\n", now->word, then->word);
  return true;
}

bool exports_router_apply(hook_types_call_t *call, contract_string_t *router, routing_t *want,
                          hook_types_hook_error_t *error) {
  const struct share *then, *live;
  return wanted(want, &then, error) && ask(call, router, then->word, &live, error);
}

bool exports_router_discard(hook_types_call_t *call, contract_string_t *router, hook_types_hook_error_t *error) {
  (void)call, (void)router, (void)error;
  return true;
}

// The balancer can't tell.
bool exports_router_connections(hook_types_call_t *call, contract_string_t *router, hook_types_color_t color,
                                contract_option_u32_t *connections, hook_types_hook_error_t *error) {
  (void)call, (void)router, (void)color, (void)error;
  *connections = (contract_option_u32_t){0};
  return true;
}
