// See cutover.h.

#include "cutover.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *list_of(size_t count, size_t size) {
  void *list = calloc(count > 0 ? count : 1, size);
  if (list == NULL) {
    fprintf(stderr, "out of memory\n");
    abort();
  }
  return list;
}

contract_string_t text(const char *format, ...) {
  va_list values, again;
  va_start(values, format);
  va_copy(again, values);
  int length = vsnprintf(NULL, 0, format, values);
  va_end(values);
  contract_string_t made = {0};
  if (length > 0) {
    made.ptr = list_of((size_t)length + 1, 1);
    made.len = (size_t)length;
    vsnprintf((char *)made.ptr, made.len + 1, format, again);
  }
  va_end(again);
  return made;
}

contract_string_t text_copy(contract_string_t value) {
  contract_string_t made = {.ptr = list_of(value.len + 1, 1), .len = value.len};
  if (value.len > 0) {
    memcpy(made.ptr, value.ptr, value.len);
  }
  return made;
}

contract_option_string_t some_text(contract_string_t value) {
  return (contract_option_string_t){.is_some = true, .val = value};
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool text_is(contract_string_t value, const char *word) {
  return value.len == strlen(word) && text_begins(value, word);
}

bool text_begins(contract_string_t value, const char *word) {
  size_t length = strlen(word);
  return value.len >= length && memcmp(value.ptr, word, length) == 0;
}

contract_string_t text_trimmed(contract_string_t value) {
  while (value.len > 0 && is_space((char)value.ptr[0])) {
    value.ptr++;
    value.len--;
  }
  while (value.len > 0 && is_space((char)value.ptr[value.len - 1])) {
    value.len--;
  }
  return text_copy(value);
}

contract_string_t text_lower(contract_string_t value) {
  contract_string_t made = text_copy(value);
  for (size_t i = 0; i < made.len; i++) {
    bool is_upper = made.ptr[i] >= 'A' && made.ptr[i] <= 'Z';
    made.ptr[i] += is_upper ? 'a' - 'A' : 0;
  }
  return made;
}

contract_option_string_t value_of(const hook_types_label_t *labels, size_t count, const char *key) {
  for (size_t i = 0; i < count; i++) {
    if (text_is(labels[i].f0, key)) {
      return some_text(labels[i].f1);
    }
  }
  return (contract_option_string_t){0};
}

json_t json_of(contract_string_t value) {
  const char *begin = (const char *)value.ptr;
  return (json_t){.at = begin, .end = begin + value.len};
}

static bool is_mark(char c) { return c == '{' || c == '}' || c == '[' || c == ']' || c == ':' || c == ','; }

// The next character that says something, which is not taken; 0 at the end.
static char peeked(json_t *json) {
  while (json->at < json->end && (is_space(*json->at) || *json->at == ':' || *json->at == ',')) {
    json->at++;
  }
  return json->at < json->end ? *json->at : '\0';
}

// Goes behind a string, a number, or a word.
static void skip_one(json_t *json) {
  if (*json->at++ != '"') {
    while (json->at < json->end && !is_space(*json->at) && !is_mark(*json->at)) {
      json->at++;
    }
    return;
  }
  while (json->at < json->end && *json->at != '"') {
    json->at += *json->at == '\\' ? 2 : 1;
  }
  json->at++;
}

json_t json_inside(json_t value) {
  char first = peeked(&value);
  value.at = first == '{' || first == '[' ? value.at + 1 : value.end;
  return value;
}

bool json_element(json_t *inside, json_t *value) {
  char first = peeked(inside);
  if (first == '\0' || first == '}' || first == ']') {
    return false;
  }
  value->at = inside->at;
  int depth = 0;
  do {
    char next = peeked(inside);
    if (next == '{' || next == '[') {
      depth++;
      inside->at++;
    } else if (next == '}' || next == ']') {
      depth--;
      inside->at++;
    } else {
      skip_one(inside);
    }
  } while (depth > 0 && inside->at < inside->end);
  value->end = inside->at;
  return true;
}

bool json_member(json_t *inside, contract_string_t *key, json_t *value) {
  json_t name;
  return json_element(inside, &name) && json_text(name, key) && json_element(inside, value);
}

bool json_text(json_t value, contract_string_t *string) {
  if (peeked(&value) != '"') {
    return false;
  }
  // Never longer than what is written, with its quotes.
  char *to = list_of((size_t)(value.end - value.at), 1);
  string->ptr = (uint8_t *)to;
  for (const char *at = value.at + 1; at < value.end - 1; at++) {
    static const char WRITTEN[] = "bfnrt", MEANT[] = "\b\f\n\r\t";
    if (*at != '\\') {
      *to++ = *at;
      continue;
    }
    at++;
    const char *found = strchr(WRITTEN, *at);
    if (*at == 'u') {
      // The engine writes control characters so, and nothing else.
      unsigned code = 0;
      sscanf(at + 1, "%4x", &code);
      *to++ = (char)code;
      at += 4;
    } else {
      *to++ = found != NULL ? MEANT[found - WRITTEN] : *at;
    }
  }
  string->len = (size_t)(to - (char *)string->ptr);
  return true;
}

bool json_number(json_t value, double *number) {
  // Ended by a zero, which is not among what is written.
  contract_string_t written = text(" %.*s", (int)(value.end - value.at), value.at);
  char *end;
  *number = strtod((const char *)written.ptr, &end);
  return end == (const char *)written.ptr + written.len && value.at < value.end;
}

contract_string_t json_shown(json_t value) {
  contract_string_t string;
  return json_text(value, &string) ? string : text("%.*s", (int)(value.end - value.at), value.at);
}

void add_fault(hook_types_setting_fault_t **faults, size_t *count, contract_string_t key, contract_string_t reason) {
  hook_types_setting_fault_t *grown = list_of(*count + 1, sizeof *grown);
  if (*count > 0) {
    memcpy(grown, *faults, *count * sizeof *grown);
  }
  // What is answered is given away, and freed.
  grown[*count].key = text_copy(key);
  grown[*count].reason = reason;
  *faults = grown;
  *count += 1;
}

bool failed(hook_types_hook_error_t *error, contract_string_t reason) {
  error->tag = HOOK_TYPES_HOOK_ERROR_FAILED;
  error->val.failed = reason;
  return false;
}

bool temporary(hook_types_hook_error_t *error, contract_string_t reason) {
  error->tag = HOOK_TYPES_HOOK_ERROR_TEMPORARY;
  error->val.temporary = reason;
  return false;
}

static bool denied(hook_types_hook_error_t *error, contract_string_t reason) {
  error->tag = HOOK_TYPES_HOOK_ERROR_DENIED;
  error->val.denied = reason;
  return false;
}

bool host_failed(hook_types_hook_error_t *error, const hosts_host_error_t *why) {
  switch (why->tag) {
    case HOSTS_HOST_ERROR_DENIED:
      return denied(error, why->val.denied);
    case HOSTS_HOST_ERROR_UNREACHABLE:
    case HOSTS_HOST_ERROR_BROKEN:
    case HOSTS_HOST_ERROR_TIMED_OUT:
      return temporary(error, host_reason(why));
    default:
      return failed(error, host_reason(why));
  }
}

bool http_failed(hook_types_hook_error_t *error, const http_client_http_error_t *why) {
  switch (why->tag) {
    case HTTP_CLIENT_HTTP_ERROR_DENIED:
      return denied(error, why->val.denied);
    case HTTP_CLIENT_HTTP_ERROR_CONNECT:
    case HTTP_CLIENT_HTTP_ERROR_BROKEN:
    case HTTP_CLIENT_HTTP_ERROR_TIMED_OUT:
      return temporary(error, http_reason(why));
    default:
      return failed(error, http_reason(why));
  }
}

contract_string_t host_reason(const hosts_host_error_t *why) {
  static const char *const WORDS[] = {"denied", "not found", "unreachable", "broken", "timed out"};
  switch (why->tag) {
    case HOSTS_HOST_ERROR_FAILED:
      return text_copy(why->val.failed);
    case HOSTS_HOST_ERROR_OTHER:
      return text("%.*s: %.*s", SHOWN(why->val.other.f0), SHOWN(why->val.other.f1));
    default:
      return text("%s: %.*s", WORDS[why->tag], SHOWN(why->val.denied));
  }
}

contract_string_t http_reason(const http_client_http_error_t *why) {
  static const char *const WORDS[] = {"denied", "timed out", "connect", "tls", "broken"};
  bool is_other = why->tag == HTTP_CLIENT_HTTP_ERROR_OTHER;
  return is_other ? text("%.*s: %.*s", SHOWN(why->val.other.f0), SHOWN(why->val.other.f1))
                  : text("%s: %.*s", WORDS[why->tag], SHOWN(why->val.connect));
}
