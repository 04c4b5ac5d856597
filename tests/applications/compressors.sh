seq 200000 > in; for c in gzip bzip2 xz zstd; do $c -q -k -c in > in.$c; [ "$(stat -c %s in.$c)" -lt 600000 ]; answer $c "$(md5sum < in)" "$($c -q -d -c in.$c | md5sum)"; done
xz -q -T2 -k -c in | xz -q -dc | cmp - in; zstd -q -T2 -19 --long -c in | zstd -q -dc --long=27 | cmp - in; mkdir t; for i in $(seq 40); do cp in.gzip t/$i; done
tar --zstd -cf t.tar.zst t && tar --zstd -tf t.tar.zst | wc -l; /usr/bin/python3 -c "import zipfile; z = zipfile.ZipFile('z.zip', 'w', zipfile.ZIP_DEFLATED); z.write('in'); z.close(); print(len(zipfile.ZipFile('z.zip').read('in')))"
