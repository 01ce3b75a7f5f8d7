// RUNNER [--threaded] [--mutate] FILE-OR-FOLDER...: carries out conformance vectors; see ../README.md.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include "tests/conformance/runner/mutate.h"
#include "tests/conformance/runner/play.h"

namespace {

using conformance::Json;

struct CommandLine {
  bool threaded = false;
  bool mutate = false;
  std::vector<std::filesystem::path> places;
};

std::vector<std::filesystem::path> vector_files(const std::vector<std::filesystem::path> &places) {
  std::vector<std::filesystem::path> files;
  for (const auto &place : places) {
    if (!std::filesystem::is_directory(place)) {
      files.push_back(place);
      continue;
    }
    for (const auto &entry : std::filesystem::recursive_directory_iterator(place)) {
      if (entry.path().extension() == ".json" && entry.path().filename() != "schema.json") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// What is wrong, or nothing.
std::optional<std::string> problem(const Json &vector, bool threaded) {
  try {
    const auto subject = conformance::make_subject(threaded);
    conformance::play(vector, *subject);
    return std::nullopt;
  } catch (const conformance::Mismatch &mismatch) {
    return mismatch.what();
  }
}

/// Prints how the vector fared; false when it failed.
bool report(const std::filesystem::path &file, const Json &vector, bool threaded) {
  const auto wrong = problem(vector, threaded);
  std::cout << (wrong ? "FAIL  " : "ok    ") << vector.value("name", file.string()) << '\n';
  if (wrong) std::cout << "      " << file.string() << ": " << *wrong << '\n';
  return !wrong;
}

bool report_mutants(const std::filesystem::path &file, const Json &vector, bool threaded, std::size_t &count) {
  bool good = true;
  for (const conformance::Mutant &mutant : conformance::mutants(vector)) {
    ++count;
    if (problem(mutant.vector, threaded)) continue;
    std::cout << "FAIL  " << file.string() << " passes although altered: " << mutant.where << '\n';
    good = false;
  }
  return good;
}

CommandLine parse(int argc, char **argv) {
  CommandLine line;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--threaded") == 0) {
      line.threaded = true;
    } else if (std::strcmp(argv[i], "--mutate") == 0) {
      line.mutate = true;
    } else {
      line.places.emplace_back(argv[i]);
    }
  }
  return line;
}

}  // namespace

int main(int argc, char **argv) {
  const CommandLine line = parse(argc, argv);
  const auto files = vector_files(line.places);
  if (files.empty()) {
    std::cerr << "usage: " << argv[0] << " [--threaded] [--mutate] FILE-OR-FOLDER...\nno vectors found\n";
    return 2;
  }
  std::size_t failed = 0;
  std::size_t altered = 0;
  for (const auto &file : files) {
    std::ifstream stream(file);
    const Json vector = Json::parse(stream, nullptr, false);
    if (vector.is_discarded()) {
      std::cout << "FAIL  " << file.string() << " is not JSON\n";
      ++failed;
      continue;
    }
    const bool good = line.mutate ? report_mutants(file, vector, line.threaded, altered) : report(file, vector, line.threaded);
    failed += good ? 0 : 1;
  }
  std::cout << files.size() << " vectors, " << failed << " failed";
  if (line.mutate) std::cout << ", " << altered << " altered expectations";
  std::cout << '\n';
  return failed == 0 ? 0 : 1;
}
