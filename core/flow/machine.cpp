#include "core/flow/machine.h"

#include "core/flow/exchange.h"

namespace fleetauth::flow {

std::unique_ptr<Machine> make_machine(const provider::ClientConfig &config, const provider::Credential &credential) {
  switch (credential.kind) {
    case provider::FlowKind::Exchange:
      return make_exchange(config, *config.descriptor->step(credential.step));
    case provider::FlowKind::Basic:
    case provider::FlowKind::StaticHeader:
      break;
  }
  return nullptr;
}

}  // namespace fleetauth::flow
