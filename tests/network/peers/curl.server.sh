mkdir -p www tmp
cat > n.conf <<END
daemon off; worker_processes 1; pid $PWD/pid; error_log $PWD/error.log; user root;
events { worker_connections 256; }
http { access_log off; client_body_temp_path $PWD/tmp/b; proxy_temp_path $PWD/tmp/p; fastcgi_temp_path $PWD/tmp/f; uwsgi_temp_path $PWD/tmp/u;
 scgi_temp_path $PWD/tmp/s; client_max_body_size 100m; sendfile on; tcp_nopush on; aio threads;
 server { listen 8080; listen [::]:8080; listen 8443 ssl http2; listen [::]:8443 ssl http2; ssl_certificate $PWD/cert; ssl_certificate_key $PWD/key; root $PWD/www;
  location /put/ { dav_methods PUT; } } }
END
exec nginx -c "$PWD/n.conf" -p "$PWD" 2>/dev/null
