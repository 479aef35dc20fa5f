// What Swift reads YAML through: libyaml's parser, one event at a time.
#pragma once
#include <stdlib.h>
#include <yaml.h>

// Where a document is read, and what was read last.
struct nftrace_yaml {
  yaml_parser_t parser;
  yaml_event_t event;
  int has_event;
};

// A reader of octets that stay where they are until it is closed; 0 if there is no memory for it.
static inline struct nftrace_yaml *nftrace_yaml_open(const unsigned char *octets, size_t count) {
  struct nftrace_yaml *yaml = calloc(1, sizeof *yaml);
  if (yaml && !yaml_parser_initialize(&yaml->parser)) {
    free(yaml);
    return 0;
  }
  if (yaml) yaml_parser_set_input_string(&yaml->parser, octets, count);
  return yaml;
}

// Reads the next event, which takes the place of the last one; returns its type, or -1 for what is no YAML.
static inline int nftrace_yaml_next(struct nftrace_yaml *yaml) {
  if (yaml->has_event) yaml_event_delete(&yaml->event);
  yaml->has_event = yaml_parser_parse(&yaml->parser, &yaml->event);
  return yaml->has_event ? (int)yaml->event.type : -1;
}

// The line that an event begins in, counted from 1, or that of a fault.
static inline size_t nftrace_yaml_line(const struct nftrace_yaml *yaml) {
  return 1 + (yaml->has_event ? yaml->event.start_mark.line : yaml->parser.problem_mark.line);
}

// What is wrong; 0 if that is not known. It goes with the reader.
static inline const char *nftrace_yaml_problem(const struct nftrace_yaml *yaml) {
  return yaml->parser.problem;
}

// A scalar's octets, and whether they are quoted.
static inline const char *nftrace_yaml_scalar(
    const struct nftrace_yaml *yaml, size_t *count, int *is_quoted) {
  *count = yaml->event.data.scalar.length;
  *is_quoted = yaml->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  return (const char *)yaml->event.data.scalar.value;
}

// The name that an event gives to its value, or that it has in another one's place; 0 for none.
static inline const char *nftrace_yaml_anchor(const struct nftrace_yaml *yaml) {
  switch (yaml->event.type) {
    case YAML_ALIAS_EVENT: return (const char *)yaml->event.data.alias.anchor;
    case YAML_SCALAR_EVENT: return (const char *)yaml->event.data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT: return (const char *)yaml->event.data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT: return (const char *)yaml->event.data.mapping_start.anchor;
    default: return 0;
  }
}

static inline void nftrace_yaml_close(struct nftrace_yaml *yaml) {
  if (yaml->has_event) yaml_event_delete(&yaml->event);
  yaml_parser_delete(&yaml->parser);
  free(yaml);
}
