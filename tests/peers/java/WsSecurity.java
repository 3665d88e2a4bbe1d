// WS-Security by Apache WSS4J. One job per line of standard input, its fields divided by tabs; one
// line of answer each.
//
//   verify CA.pem USER-PASSWORD FILE                valid | invalid: why
//   sign ALGORITHM SIGNER.p12 PASSWORD FILE TARGET  signed
//
// An envelope is valid when WSS4J's engine accepts its header, Basic Security Profile rules on, and
// what was signed is its Body and its Timestamp, in place. Signing adds a Timestamp and signs both,
// the certificate in a BinarySecurityToken. What does not work out answers "failed: …".

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.security.auth.callback.Callback;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.apache.ws.security.WSConstants;
import org.apache.ws.security.WSDataRef;
import org.apache.ws.security.WSEncryptionPart;
import org.apache.ws.security.WSPasswordCallback;
import org.apache.ws.security.WSSConfig;
import org.apache.ws.security.WSSecurityEngine;
import org.apache.ws.security.WSSecurityEngineResult;
import org.apache.ws.security.WSSecurityException;
import org.apache.ws.security.components.crypto.Merlin;
import org.apache.ws.security.handler.RequestData;
import org.apache.ws.security.message.WSSecHeader;
import org.apache.ws.security.message.WSSecSignature;
import org.apache.ws.security.message.WSSecTimestamp;
import org.apache.ws.security.util.WSSecurityUtil;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

public class WsSecurity {
    public static void main(String[] none) throws Exception {
        WSSConfig.init();
        // WSS4J puts Bouncy Castle first, which then fails to open the JDK's own PKCS#12 stores. It
        // is here for RSA-PSS, by a name that the JDK does not know: last is soon enough.
        Security.removeProvider("BC");
        Security.addProvider(new BouncyCastleProvider());
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            String[] job = line.split("\t");
            String answer;
            try {
                if (job[0].equals("verify")) answer = verdict(job[1], job[2], parsed(job[3]));
                else { sign(job[1], job[2], job[3], parsed(job[4]), job[5]); answer = "signed"; }
            } catch (Exception failure) {
                answer = ("failed: " + failure + " " + failure.getCause()).replaceAll("\\s+", " ");
            }
            System.out.println(answer);
        }
    }

    static String verdict(String authority, String password, Document document) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509")
            .generateCertificate(new FileInputStream(authority)));
        Merlin crypto = new Merlin();
        crypto.setTrustStore(trusted);
        RequestData request = new RequestData();
        request.setSigCrypto(crypto);
        request.setWssConfig(WSSConfig.getNewInstance());
        request.setCallbackHandler(asked -> {
            for (Callback one : asked) ((WSPasswordCallback) one).setPassword(password);
        });
        Element header = WSSecurityUtil.getSecurityHeader(document, null);
        List<WSSecurityEngineResult> results;
        try {
            results = new WSSecurityEngine().processSecurityHeader(header, request);
        } catch (WSSecurityException refused) {
            return ("invalid: " + refused + " " + refused.getCause()).replaceAll("\\s+", " ");
        }
        Set<Element> covered = new HashSet<>();
        for (WSSecurityEngineResult result : results)
            if (result.get(WSSecurityEngineResult.TAG_DATA_REF_URIS) instanceof List<?> references)
                for (Object one : references) covered.add(((WSDataRef) one).getProtectedElement());
        Element body = WSSecurityUtil.findBodyElement(document);
        Element stamp = WSSecurityUtil.getDirectChildElement(header, "Timestamp", WSConstants.WSU_NS);
        return covered.equals(Set.of(body, stamp)) ? "valid" : "invalid: it covers something else";
    }

    static void sign(String algorithm, String signer, String password, Document document, String target)
            throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(new FileInputStream(signer), password.toCharArray());
        Merlin crypto = new Merlin();
        crypto.setKeyStore(store);
        WSSecHeader header = new WSSecHeader();
        header.insertSecurityHeader(document);
        new WSSecTimestamp().build(document, header);
        WSSecSignature signature = new WSSecSignature();
        signature.setUserInfo(store.aliases().nextElement(), password);
        signature.setKeyIdentifierType(WSConstants.BST_DIRECT_REFERENCE);
        signature.setSignatureAlgorithm(algorithm);
        signature.setDigestAlgo("http://www.w3.org/2001/04/xmlenc#sha256");
        String soap = document.getDocumentElement().getNamespaceURI();
        signature.setParts(List.of(
            new WSEncryptionPart("Body", soap, ""),
            new WSEncryptionPart("Timestamp", WSConstants.WSU_NS, "")));
        signature.build(document, crypto, header);
        try (var out = new FileOutputStream(target)) {
            TransformerFactory.newInstance().newTransformer()
                .transform(new DOMSource(document), new StreamResult(out));
        }
    }

    static Document parsed(String file) throws Exception {
        var factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(new FileInputStream(file));
    }
}
