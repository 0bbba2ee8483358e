// What hooks in C need beside the contract: text, settings, and errors.
//
// Nothing has to be freed: each call has a memory of its own, which is gone when it ends. What a hook answers has to be on the heap, as all
// text of `text` is.

#ifndef CUTOVER_H
#define CUTOVER_H

#include "contract.h"

#ifdef __GNUC__
#define CUTOVER_FORMAT(format) __attribute__((__format__(__printf__, format, format + 1)))
#else
#define CUTOVER_FORMAT(format)
#endif

// For `%.*s`.
#define SHOWN(string) (int)(string).len, (const char *)(string).ptr

// Text by a format of printf. What is made here ends with a zero beyond its length.
contract_string_t text(const char *format, ...) CUTOVER_FORMAT(1);
contract_string_t text_copy(contract_string_t value);
contract_option_string_t some_text(contract_string_t value);
bool text_is(contract_string_t value, const char *word);
bool text_begins(contract_string_t value, const char *word);
// Without white space around it.
contract_string_t text_trimmed(contract_string_t value);
// In lower case, as far as it is ASCII.
contract_string_t text_lower(contract_string_t value);

// Memory for `count` elements of a list, all zero. Ends the call where there is none.
void *list_of(size_t count, size_t size);

// The value of a label, a fact or a header; none where there is no such key.
contract_option_string_t value_of(const hook_types_label_t *labels, size_t count, const char *key);

// A value of JSON. It comes from the engine, and is well-formed.
typedef struct json_t {
  const char *at;
  const char *end;
} json_t;

json_t json_of(contract_string_t value);
// What is inside of an object or an array; nothing of all else.
json_t json_inside(json_t value);
// The next member of what is inside of an object; false after the last one.
bool json_member(json_t *inside, contract_string_t *key, json_t *value);
// The next element of what is inside of an array; false after the last one.
bool json_element(json_t *inside, json_t *value);
// The text of a string; false where it is none.
bool json_text(json_t value, contract_string_t *string);
// A number; false where it is none.
bool json_number(json_t value, double *number);
// The text of a string, and of all else what is written.
contract_string_t json_shown(json_t value);

// One fault more of the settings.
void add_fault(hook_types_setting_fault_t **faults, size_t *count, contract_string_t key, contract_string_t reason);

// Each of these fills in `error` and returns false, as a function of a hook does that can't answer.

// Will not work when asked again.
bool failed(hook_types_hook_error_t *error, contract_string_t reason);
// May work when asked again: the engine asks again while there is time.
bool temporary(hook_types_hook_error_t *error, contract_string_t reason);
// An error of `hosts` or of `http_client`, passed on: what was not granted stays `denied`, and what may pass becomes `temporary`.
bool host_failed(hook_types_hook_error_t *error, const hosts_host_error_t *why);
bool http_failed(hook_types_hook_error_t *error, const http_client_http_error_t *why);

// What such an error says.
contract_string_t host_reason(const hosts_host_error_t *why);
contract_string_t http_reason(const http_client_http_error_t *why);

#endif
