// environment_helper ORIGIN CA_FILE PROXY: has two providers' clients ask for tokens; its status is the first failure's.
// Without CA_FILE ("") they trust whom the system trusts.
#include <clocale>
#include <string>
#include <utility>

#include "tests/capi/emulator.h"

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  std::setlocale(LC_ALL, "");
  const std::string origin = argv[1];
  capi::Texts fleetup{{"api_key", "key"}, {"acct_id", "1"}, {"secret", "s"}, {"base_url", origin}};
  capi::Texts oauth2{{"client_id", "id"}, {"client_secret", "s"}, {"auth_base_url", origin}, {"api_base_url", origin}};
  const capi::Runtime runtime = capi::make_runtime();
  for (auto &[provider, options] : {std::pair{"fleetup", &fleetup}, std::pair{"oauth2", &oauth2}}) {
    options->emplace_back("proxy", argv[3]);
    if (*argv[2] != '\0') options->emplace_back("ca_file", argv[2]);
    const capi::Client client = capi::make_client(runtime.get(), provider, *options);
    const capi::Outcome outcome = capi::get_token(client.get());
    if (outcome.status != FLEETAUTH_OK) return outcome.status;
  }
}
