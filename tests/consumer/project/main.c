/* A program that knows only what an installation offers. */
#include <fleetauth/fleetauth.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  const char *version = fleetauth_version(NULL);
  if (argc != 2 || strcmp(version, argv[1]) != 0) {
    fprintf(stderr, "expected version %s, linked with %s\n", argc == 2 ? argv[1] : "(none given)", version);
    return 1;
  }
  return 0;
}
