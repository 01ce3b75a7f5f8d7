#include "fleetauth/emulator/emulator.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "admin.h"
#include "crypto.h"
#include "dispatcher.h"
#include "json_members.h"
#include "server.h"
#include "tls.h"

namespace fleetauth::emulator {
namespace {

std::string numeric_host(const std::string &host) {
  if (host == "localhost") return "127.0.0.1";
  if (host == "127.0.0.1" || host == "::1") return host;
  throw StartError("the emulator listens on loopback only: host must be 127.0.0.1, ::1 or localhost");
}

std::string url_host(const std::string &numeric) { return numeric == "::1" ? "[::1]" : numeric; }

// Certificates only: anybody may read them, nobody else may replace them.
void write_certificate(const std::filesystem::path &path, const std::string &pem) {
  std::ofstream file(path, std::ios::trunc);
  file << pem;
  file.close();
  if (!file) throw StartError("cannot write " + path.string() + ": choose a directory that can be written to");
  std::error_code ignored;
  using std::filesystem::perms;
  std::filesystem::permissions(path, perms::owner_read | perms::owner_write | perms::group_read | perms::others_read, ignored);
}

// A directory which goes away together with this object, if we made it ourselves.
class Directory {
 public:
  explicit Directory(const std::string &wanted) {
    std::error_code failure;
    if (!wanted.empty()) {
      path_ = wanted;
      std::filesystem::create_directories(path_, failure);
      if (failure) throw StartError("cannot create " + wanted + ": " + failure.message());
      return;
    }
    std::string pattern = (std::filesystem::temp_directory_path(failure) / "fleetauth-emulator-XXXXXX").string();
    if (failure || mkdtemp(pattern.data()) == nullptr) {
      throw StartError("cannot create a temporary directory: set TMPDIR, or name a directory");
    }
    path_ = pattern;
    temporary_ = true;
  }
  ~Directory() {
    std::error_code ignored;
    if (temporary_) std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory &) = delete;
  Directory &operator=(const Directory &) = delete;

  const std::filesystem::path &path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool temporary_ = false;
};

}  // namespace

struct Emulator::Parts {
  World world;
  std::vector<std::unique_ptr<Provider>> providers = all_providers(world);
  Dispatcher dispatcher{world, providers};
  TlsIdentity tls;
  std::string admin_token = random_hex(24);
  int shutdown_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::unique_ptr<Directory> directory;
  std::string ca_file;
  std::string url;
  std::uint16_t port = 0;
  std::unique_ptr<Admin> admin;
  std::unique_ptr<HttpServer> server;

  ~Parts() {
    if (shutdown_fd >= 0) close(shutdown_fd);
  }

  void write_certificates(const std::string &wanted) {
    directory = std::make_unique<Directory>(wanted);
    ca_file = (directory->path() / "ca.pem").string();
    write_certificate(ca_file, tls.ca_pem);
    write_certificate(directory->path() / "server.pem", tls.server_pem);
  }

  Response answer(Request &request) {
    Response response = Admin::owns(request.path) ? admin->serve(request) : dispatcher.serve(request);
    bool has_date = false;
    for (const auto &[name, value] : response.headers) has_date = has_date || equal_ignoring_case(name, "Date");
    // The emulator's clock, so that clients can be taught a skew.
    if (!has_date) response.set_header("Date", http_date(world.clock.now_ms()));
    return response;
  }

  void ask_for_shutdown() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(shutdown_fd, &one, sizeof one);
  }
};

Emulator::Emulator(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Emulator::~Emulator() { stop(); }

std::unique_ptr<Emulator> Emulator::start(const Options &options) {
  const std::string host = numeric_host(options.host);
  try {
    auto parts = std::make_unique<Parts>();
    Parts &p = *parts;
    if (p.shutdown_fd < 0) throw StartError("cannot create an eventfd: " + std::generic_category().message(errno));
    if (!options.plain_http) {
      p.tls = make_tls_identity();
      p.write_certificates(options.directory);
    }
    p.admin = std::make_unique<Admin>(p.world, p.providers, p.admin_token, p.tls.ca_pem, [&p] { p.ask_for_shutdown(); });
    if (!options.config_json.empty()) p.admin->configure(parse_config(options.config_json, "the configuration"));
    p.server = std::make_unique<HttpServer>(p.tls.context, [&p](Request &request) { return p.answer(request); });
    p.port = p.server->start(host, options.port);
    p.url = (options.plain_http ? "http://" : "https://") + url_host(host) + ":" + std::to_string(p.port);
    return std::unique_ptr<Emulator>(new Emulator(std::move(parts)));
  } catch (const StartError &) {
    throw;
  } catch (const std::exception &error) {
    throw StartError(error.what());
  }
}

void Emulator::stop() {
  parts_->world.stopper.stop();
  parts_->world.log.stop();
  parts_->server->stop();
  parts_->directory.reset();
}

std::uint16_t Emulator::port() const { return parts_->port; }
std::string Emulator::url() const { return parts_->url; }
std::string Emulator::ca_pem() const { return parts_->tls.ca_pem; }
std::string Emulator::ca_file() const { return parts_->ca_file; }
std::string Emulator::admin_token() const { return parts_->admin_token; }
int Emulator::shutdown_fd() const { return parts_->shutdown_fd; }

std::string Emulator::base_urls_json() const {
  json result = json::object();
  for (const auto &provider : parts_->providers) {
    for (const auto &[name, path] : provider->base_paths()) result[provider->name()][name] = parts_->url + path;
  }
  return result.dump();
}

}  // namespace fleetauth::emulator
