cat > Main.java <<'END'
import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;

public class Main {
    record Point(int x, int y) {}
    public static void main(String[] a) throws Exception {
        System.out.println(IntStream.rangeClosed(1, 1000).parallel().mapToLong(i -> (long) i * i).sum());
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 50; i++) { final int n = i; all.add(pool.submit(() -> { Thread.sleep(1); return n * 2; })); }
        int total = 0;
        for (Future<Integer> f : all) total += f.get();
        pool.shutdown();
        System.out.println(total + " " + new Point(1, 2));
        List<byte[]> garbage = new ArrayList<>();
        for (int i = 0; i < 2000; i++) { byte[] b = new byte[100_000]; if (i % 100 == 0) garbage.add(b); }
        System.gc();
        System.out.println(garbage.size());
        Path file = Files.writeString(Path.of("file.txt"), "text".repeat(10000));
        System.out.println(Files.size(file) + " " + Files.readString(file).hashCode());
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Thread t = new Thread(() -> { try (Socket s = server.accept()) { s.getOutputStream().write("served".getBytes()); } catch (IOException e) { e.printStackTrace(); } });
            t.start();
            try (Socket s = new Socket(server.getInetAddress(), server.getLocalPort())) { System.out.println(new String(s.getInputStream().readAllBytes())); }
            t.join();
        }
        Process p = new ProcessBuilder("sh", "-c", "echo child; exit 3").start();
        System.out.println(new String(p.getInputStream().readAllBytes()).trim() + " " + p.waitFor());
        try { Object o = null; o.hashCode(); } catch (NullPointerException e) { System.out.println("null pointer"); }
        try { deep(0); } catch (StackOverflowError e) { System.out.println("stack overflow"); }
    }
    static int deep(int n) { return deep(n + 1) + 1; }
}
END
javac -J-Xmx256m Main.java && java -Xmx128m Main
jar cfe m.jar Main ./*.class && answer jar 333833500 "$(java -Xmx128m -XX:+UseSerialGC -jar m.jar | head -1)"
