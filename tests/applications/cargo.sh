export HOME=$PWD CARGO_HOME=$PWD/.cargo
mkdir -p app/src helper/src
printf '[workspace]\nmembers = ["app", "helper"]\nresolver = "2"\n' > Cargo.toml
printf '[package]\nname = "helper"\nversion = "0.1.0"\nedition = "2021"\n' > helper/Cargo.toml
printf '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nhelper = { path = "../helper" }\n' > app/Cargo.toml
cat > helper/src/lib.rs <<'END'
//! Sums.
/// Adds.
///
/// ```
/// assert_eq!(helper::add(2, 2), 4);
/// ```
pub fn add(a: u64, b: u64) -> u64 { a + b }
#[cfg(test)]
mod tests {
    #[test] fn adds() { assert_eq!(super::add(40, 2), 42); }
    #[test] #[should_panic] fn panics() { panic!("on purpose"); }
}
END
cat > app/src/main.rs <<'END'
use std::{io::{Read, Write}, net::{TcpListener, TcpStream}, sync::mpsc, thread};
fn main() {
    let (tx, rx) = mpsc::channel();
    for i in 0..8u64 { let tx = tx.clone(); thread::spawn(move || tx.send((0..1000).fold(i, helper::add)).unwrap()); }
    drop(tx);
    println!("sum {}", rx.iter().sum::<u64>());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || { let (mut s, _) = listener.accept().unwrap(); let mut b = String::new(); s.read_to_string(&mut b).unwrap(); b.len() });
    TcpStream::connect(address).unwrap().write_all(&[b'x'; 100_000]).unwrap();
    println!("heard {}", server.join().unwrap());
    let out = std::process::Command::new("echo").arg("child").output().unwrap();
    print!("{}", String::from_utf8(out.stdout).unwrap());
}
END
cargo build -q --offline --release 2>&1
answer run 'sum 3996028|heard 100000|child' "$(target/release/app | paste -sd'|')"
cargo test -q --offline 2>&1 | grep -E '^test result' | cut -d. -f1
