# shellcheck shell=bash
# javac, and a threaded Java program with direct buffers, zip streams and class loading, in both collectors.
. "$PRELOAD_SRC/../lib.sh"
limit - 180
need javac default-jdk-headless
need java default-jre-headless

compile() { javac -g -d . "$PRELOAD_SRC/Work.java"; }
serial() { java -Xmx256m -XX:+UseSerialGC Work 4; }
parallel() { java -Xmx256m -XX:+UseG1GC -XX:ParallelGCThreads=2 Work 12; }

same javac compile
same_files '*.class'
same serial serial
same g1 parallel
loaded '*/java' 2
loaded '*/javac'
