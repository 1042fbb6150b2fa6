// Every unit test gets an empty IndexedDB of its own kind.
import 'fake-indexeddb/auto';
