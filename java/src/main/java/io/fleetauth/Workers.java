package io.fleetauth;

import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Threads of the binding. All are daemons: none keeps a program alive. */
final class Workers {
  private static final AtomicInteger NUMBER = new AtomicInteger();

  /**
   * Where transports run unless the client names another executor. It grows without limit, because
   * a transport may wait for something else that runs there.
   */
  static final Executor TRANSPORTS =
      new ThreadPoolExecutor(
          0,
          Integer.MAX_VALUE,
          10,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          work -> daemon("fleetauth-worker-" + NUMBER.incrementAndGet(), work));

  /** Where futures complete unless the client names another executor: where Java's own do. */
  static final Executor COMPLETIONS =
      ForkJoinPool.getCommonPoolParallelism() > 0 ? ForkJoinPool.commonPool() : TRANSPORTS;

  private Workers() {}

  /** Runs it there, or here where that executor takes no more work or gets no thread for it. */
  static void runOn(Executor executor, Runnable work) {
    try {
      executor.execute(work);
    } catch (RejectedExecutionException | OutOfMemoryError refused) {
      work.run();
    }
  }

  static Thread daemon(String name, Runnable work) {
    Thread thread = new Thread(null, work, name);
    thread.setDaemon(true);
    // The loader of whoever came first must not be kept from being unloaded.
    thread.setContextClassLoader(null);
    return thread;
  }

  /** Tells about a failure nobody waits for, as if the thread had died of it. */
  static void report(Throwable failure) {
    Thread thread = Thread.currentThread();
    try {
      thread.getUncaughtExceptionHandler().uncaughtException(thread, failure);
    } catch (RuntimeException | Error ignored) {
      // As Java itself does with what the handler throws.
    }
  }
}
