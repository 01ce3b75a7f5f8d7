package io.fleetauth;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** An account that a client may act for. Immutable. */
public final class Account {
  private final String id;
  private final String name;

  private Account(String id, String name) {
    this.id = id;
    this.name = name;
  }

  /** Takes the handle. */
  static List<Account> listOf(NativeAccounts handle) {
    try {
      List<Account> accounts = new ArrayList<>();
      int count = handle.count();
      for (int i = 0; i < count; i++) {
        accounts.add(new Account(handle.id(i), handle.name(i)));
      }
      return Collections.unmodifiableList(accounts);
    } finally {
      handle.dispose();
    }
  }

  /** What the request option {@code account} takes. */
  public String id() {
    return id;
  }

  /** What people call it; empty where the provider does not say. */
  public String name() {
    return name;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Account
        && id.equals(((Account) other).id)
        && name.equals(((Account) other).name);
  }

  @Override
  public int hashCode() {
    return 31 * id.hashCode() + name.hashCode();
  }

  @Override
  public String toString() {
    return "Account[id=" + id + ", name=" + name + "]";
  }
}
