#pragma once

#include <memory>

#include "capi/src/handles.h"

/// What the functions that start an operation of a client have in common.
namespace fleetauth::capi {

inline const runtime::Request *body_of(const fleetauth_request *request) { return request == nullptr ? nullptr : &request->body; }

inline ErrorPtr check_request(const fleetauth_client &client, const fleetauth_request *request) {
  if (request == nullptr || request->client == client.body) return nullptr;
  return fail(Status::InvalidArgument, "the request was made for another client");
}

template <class Start>
ErrorPtr start_operation(fleetauth_client &client, fleetauth_op *&out, const Start &start) {
  auto handle = std::make_unique<fleetauth_op>(client.body->runtime());  // made ahead: once started there is no way back
  auto operation = start();
  if (!operation) return operation.error();
  handle->body = *operation;
  out = handle.release();
  return nullptr;
}

}  // namespace fleetauth::capi
