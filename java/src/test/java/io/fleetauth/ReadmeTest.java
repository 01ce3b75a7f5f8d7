package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The examples of README.md and of the pages in docs are programs. */
class ReadmeTest {
  private static final Pattern EXAMPLE = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
  private static final Pattern CLASS = Pattern.compile("(?m)^class (\\w+)");

  @TempDir private static Path output;

  /** What the examples use of Google's Driver SDK, which is for Android. */
  private static final JavaFileObject DRIVER_SDK =
      source(
          "AuthTokenContext",
          "package com.google.android.libraries.mapsplatform.transportation.driver.api.base.data;"
              + "public interface AuthTokenContext {"
              + "  String getVehicleId();"
              + "  String getTaskId();"
              + "  interface AuthTokenFactory { String getToken(AuthTokenContext context); }"
              + "}");

  @TestFactory
  Stream<DynamicTest> examples_compile() throws Exception {
    return compiling(5, Paths.get("README.md"));
  }

  @Test
  void the_example_of_events_runs() throws Exception {
    String readme = Files.readString(Paths.get("README.md"));
    Matcher example = EXAMPLE.matcher(readme.substring(readme.indexOf("## Events and counters")));
    assertTrue(example.find());
    compile(example.group(1));
    try (URLClassLoader loader = new URLClassLoader(new URL[] {output.toUri().toURL()});
        FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
        FleetUp client =
            ScriptedTransport.fleetUp(
                    runtime, call -> ScriptedTransport.answer(call, 200, "{\"token\":\"t-1\"}"))
                .build()) {
      Method watch =
          loader
              .loadClass(nameOf(example.group(1)))
              .getDeclaredMethod("events", FleetAuthRuntime.class, FleetUp.class);
      watch.setAccessible(true);
      assertEquals(
          Map.of("request", 1L, "login", 1L, "dropped", 0L), watch.invoke(null, runtime, client));
    }
  }

  @TestFactory
  Stream<DynamicTest> examples_for_Fleet_Engine_compile() throws Exception {
    return compiling(2, Paths.get("..", "docs", "fleet-engine.md"));
  }

  private static Stream<DynamicTest> compiling(int count, Path page) throws Exception {
    List<String> examples =
        EXAMPLE.matcher(Files.readString(page)).results().map(m -> m.group(1)).toList();
    assertEquals(count, examples.size());
    return examples.stream().map(e -> DynamicTest.dynamicTest(nameOf(e), () -> compile(e)));
  }

  private static String nameOf(String example) {
    Matcher name = CLASS.matcher(example);
    assertTrue(name.find(), example);
    return name.group(1);
  }

  private static JavaFileObject source(String name, String text) {
    return new SimpleJavaFileObject(
        URI.create("string:///" + name + ".java"), JavaFileObject.Kind.SOURCE) {
      @Override
      public CharSequence getCharContent(boolean ignoreEncodingErrors) {
        return text;
      }
    };
  }

  private static void compile(String example) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
    List<String> options =
        List.of("-cp", System.getProperty("java.class.path"), "-d", output.toString());
    boolean compiles =
        compiler
            .getTask(
                null,
                null,
                diagnostics,
                options,
                null,
                List.of(source(nameOf(example), example), DRIVER_SDK))
            .call();
    List<Diagnostic<? extends JavaFileObject>> problems = diagnostics.getDiagnostics();
    assertTrue(compiles, problems::toString);
  }
}
