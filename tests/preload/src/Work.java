// Work THREADS - digests that are the same in every run, out of work that reaches malloc: direct buffers,
// zip streams (zlib), charsets, compiled code, threads that come and go, and a child process.
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

public class Work {
    static String digest(Object parts) throws Exception {
        byte[] sum = MessageDigest.getInstance("SHA-1").digest(parts.toString().getBytes(StandardCharsets.UTF_8));
        StringBuilder text = new StringBuilder();
        for (byte b : sum)
            text.append(String.format("%02x", b));
        return text.toString();
    }

    static String zipped(Random random, int bytes) throws Exception {
        byte[] data = new byte[bytes];
        for (int i = 0; i < bytes; i++)
            data[i] = (byte) (random.nextInt(9) * (i % 7));
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            out.write(data);
        }
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(packed.toByteArray()))) {
            byte[] back = in.readAllBytes();
            return packed.size() + ":" + java.util.Arrays.equals(data, back);
        }
    }

    static String work(int seed) throws Exception {
        Random random = new Random(seed);
        TreeMap<String, List<Integer>> index = new TreeMap<>();
        for (int i = 0; i < 60000; i++)
            index.computeIfAbsent(Integer.toString(random.nextInt(5000), 36), k -> new ArrayList<>()).add(i);
        List<ByteBuffer> buffers = new ArrayList<>();
        long sum = 0;
        for (int i = 0; i < 400; i++) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 + random.nextInt(100_000));
            buffer.put(0, (byte) i);
            buffers.add(buffer);
            if (buffers.size() > 40)
                sum += buffers.remove(random.nextInt(40)).get(0);
        }
        List<String> zips = new ArrayList<>();
        for (int i = 0; i < 20; i++)
            zips.add(zipped(random, 20_000 + random.nextInt(50_000)));
        return digest(List.of(index.hashCode(), sum, zips));
    }

    public static void main(String[] arguments) throws Exception {
        int count = Integer.parseInt(arguments[0]);
        ExecutorService pool = Executors.newFixedThreadPool(count);
        List<Future<String>> results = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int seed = i;
            results.add(pool.submit(() -> work(seed)));
        }
        for (Future<String> result : results)
            System.out.println(result.get());
        pool.shutdown();
        long[] churn = new long[300];
        for (int i = 0; i < churn.length; i++) {
            int n = i;
            Thread thread = new Thread(() -> churn[n] = new String(new char[n]).length());
            thread.start();
            thread.join();
        }
        System.out.println(digest(java.util.Arrays.toString(churn)));
        Process child = new ProcessBuilder("echo", "from a child").start();
        System.out.print(new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
        System.exit(child.waitFor());
    }
}
