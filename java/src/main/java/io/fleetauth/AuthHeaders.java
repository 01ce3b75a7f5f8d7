package io.fleetauth;

import java.nio.charset.StandardCharsets;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;

/**
 * The headers that authorise a request, in order. Immutable; names are looked up without regard to
 * case. It remembers which token it was made from, and does not show it when printed.
 */
public final class AuthHeaders extends AbstractMap<String, String> {
  private final String[] names;
  private final String[] values;
  final long slot;
  final long generation;
  final int word;

  /**
   * @param packed what {@link HotPath} wrote: name, NUL, value, NUL, and so on; wiped here
   */
  AuthHeaders(byte[] packed, long slot, long generation, int word) {
    this.slot = slot;
    this.generation = generation;
    this.word = word;
    int texts = 0;
    for (byte b : packed) {
      texts += b == 0 ? 1 : 0;
    }
    names = new String[texts / 2];
    values = new String[texts / 2];
    int start = 0;
    for (int i = 0; i < texts; i++) {
      int end = start;
      while (packed[end] != 0) {
        end++;
      }
      String text = new String(packed, start, end - start, StandardCharsets.UTF_8);
      (i % 2 == 0 ? names : values)[i / 2] = text;
      start = end + 1;
    }
    Text.wipe(packed);
  }

  @Override
  public int size() {
    return names.length;
  }

  @Override
  public String get(Object name) {
    for (int i = 0; i < names.length; i++) {
      if (name instanceof String && names[i].equalsIgnoreCase((String) name)) {
        return values[i];
      }
    }
    return null;
  }

  @Override
  public boolean containsKey(Object name) {
    return get(name) != null;
  }

  @Override
  public Set<Map.Entry<String, String>> entrySet() {
    return new AbstractSet<Map.Entry<String, String>>() {
      @Override
      public int size() {
        return names.length;
      }

      @Override
      public Iterator<Map.Entry<String, String>> iterator() {
        return new Entries();
      }
    };
  }

  private final class Entries implements Iterator<Map.Entry<String, String>> {
    private int next;

    @Override
    public boolean hasNext() {
      return next < names.length;
    }

    @Override
    public Map.Entry<String, String> next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      int index = next++;
      return new Header(names[index], values[index]);
    }
  }

  /** An entry that does not show its value when printed. */
  private static final class Header extends SimpleImmutableEntry<String, String> {
    private static final long serialVersionUID = 1;

    Header(String name, String value) {
      super(name, value);
    }

    @Override
    public String toString() {
      return getKey() + "=***";
    }
  }

  @Override
  public String toString() {
    return entrySet().toString();
  }
}
