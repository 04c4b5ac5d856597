npm pack --silent express@4 >/dev/null && mkdir -p bundle && cd bundle && npm init -y >/dev/null && npm install --silent --no-audit --no-fund --cache ../cache express@4 is-odd@3
