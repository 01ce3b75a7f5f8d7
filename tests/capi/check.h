/* A test frame for C99: TEST(name) { CHECK(...); }, run from a table of struct check_case. A failed check ends the process. */
#ifndef FLEETAUTH_TESTS_CHECK_H
#define FLEETAUTH_TESTS_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST(name) static void name(void)

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                  \
    }                                                                           \
  } while (0)

#define CHECK_INT(expected, actual)                                                                                   \
  do {                                                                                                                \
    const int64_t check_expected = (expected);                                                                        \
    const int64_t check_actual = (actual);                                                                            \
    if (check_expected != check_actual) {                                                                             \
      fprintf(stderr, "%s:%d: %s: expected %lld, got %lld\n", __FILE__, __LINE__, #actual, (long long)check_expected, \
              (long long)check_actual);                                                                               \
      exit(1);                                                                                                        \
    }                                                                                                                 \
  } while (0)

#define CHECK_TEXT(expected, actual)                                                                           \
  do {                                                                                                         \
    const char *check_expected = (expected);                                                                   \
    const char *check_actual = (actual);                                                                       \
    if (check_actual == NULL || strcmp(check_expected, check_actual) != 0) {                                   \
      fprintf(stderr, "%s:%d: %s: expected \"%s\", got \"%s\"\n", __FILE__, __LINE__, #actual, check_expected, \
              check_actual == NULL ? "(NULL)" : check_actual);                                                 \
      exit(1);                                                                                                 \
    }                                                                                                          \
  } while (0)

struct check_case {
  const char *name;
  void (*run)(void);
};

#endif
