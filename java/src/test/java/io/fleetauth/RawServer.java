package io.fleetauth;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A plain socket on loopback that answers each request with the bytes a test wants. */
final class RawServer implements AutoCloseable {
  /** Writes the answer to one request, or nothing: then the connection is dropped. */
  @FunctionalInterface
  interface Script {
    void answer(String request, OutputStream out) throws IOException;
  }

  private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final List<Socket> connections = new CopyOnWriteArrayList<>();
  private final Script script;
  private final boolean keepsAlive;

  RawServer(boolean keepsAlive, Script script) throws IOException {
    this.keepsAlive = keepsAlive;
    this.script = script;
    start(this::accept);
  }

  static Script answer(String... lines) {
    byte[] bytes = String.join("\r\n", lines).getBytes(StandardCharsets.ISO_8859_1);
    return (request, out) -> out.write(bytes);
  }

  String url() {
    return "http://127.0.0.1:" + listener.getLocalPort();
  }

  /** Head and body of each request, in order. */
  List<String> requests() {
    return requests;
  }

  int connections() {
    return connections.size();
  }

  private static void start(Runnable work) {
    Thread thread = new Thread(work);
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    while (true) {
      try {
        Socket socket = listener.accept();
        connections.add(socket);
        start(() -> serve(socket));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    try (Socket connection = socket) {
      InputStream input = new BufferedInputStream(connection.getInputStream());
      do {
        String request = read(input);
        if (request == null) {
          return;
        }
        requests.add(request);
        script.answer(request, connection.getOutputStream());
        connection.getOutputStream().flush();
      } while (keepsAlive);
    } catch (IOException hungUp) {
      // The client under test may do so.
    }
  }

  private static String read(InputStream input) throws IOException {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    int length = 0;
    while (!text.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
      int next = input.read();
      if (next < 0) {
        return null;
      }
      text.write(next);
    }
    for (String line : text.toString(StandardCharsets.ISO_8859_1).split("\r\n")) {
      if (line.toLowerCase(java.util.Locale.ROOT).startsWith("content-length:")) {
        length = Integer.parseInt(line.substring(line.indexOf(':') + 1).trim());
      }
    }
    text.write(input.readNBytes(length));
    return text.toString(StandardCharsets.ISO_8859_1);
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Socket connection : connections) {
      connection.close();
    }
  }
}
