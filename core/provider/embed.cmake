# cmake -DOUTPUT=file.cpp -DFOLDER=dir -P embed.cmake: the provider descriptors of a folder as C++ text, in alphabetical order.
file(GLOB descriptors "${FOLDER}/*.json")
list(FILTER descriptors EXCLUDE REGEX "\\.schema\\.json$")
list(SORT descriptors)

set(rows "")
foreach(descriptor IN LISTS descriptors)
  get_filename_component(name "${descriptor}" NAME_WE)
  file(READ "${descriptor}" text)
  if(text MATCHES "\\)descriptor\"")
    message(FATAL_ERROR "${descriptor} holds )descriptor\", which would end the literal it is put into")
  endif()
  string(APPEND rows "      {\"${name}\", R\"descriptor(${text})descriptor\"},\n")
endforeach()

file(WRITE "${OUTPUT}" "// Made from core/provider/*.json by embed.cmake; do not edit.
#include \"core/provider/descriptor.h\"

namespace fleetauth::provider {

const std::vector<Builtin> &builtins() {
  static const auto *const all = new std::vector<Builtin>{  // never destroyed: threads may outlive main
${rows}  };
  return *all;
}

}  // namespace fleetauth::provider
")
